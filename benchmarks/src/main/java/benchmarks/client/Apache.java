package benchmarks.client;

import benchmarks.Answers;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.reactor.IOReactorConfig;

/** Apache HttpClient, asynchronous, in its minimal form, with one thread for input and output. */
public final class Apache {

    private Apache() {
    }

    public static void main(String[] args) throws Exception {
        int connections = ClosedLoop.connections(args);
        var manager = PoolingAsyncClientConnectionManagerBuilder.create()
            .setMaxConnTotal(connections).setMaxConnPerRoute(connections).build();
        var client = HttpAsyncClients.createMinimal(H2Config.DEFAULT, Http1Config.DEFAULT,
            IOReactorConfig.custom().setIoThreadCount(1).setTcpNoDelay(true).build(), manager);
        client.start();
        SimpleHttpRequest request = SimpleRequestBuilder.get("http://127.0.0.1:" + ClosedLoop.port(args) + "/").build();
        Answers.ready(new ClosedLoop(connections, (connection, done) -> client.execute(request, new FutureCallback<>() {
            @Override
            public void completed(SimpleHttpResponse response) {
                done.received(response.getCode(), response.getBodyBytes().length);
            }

            @Override
            public void failed(Exception failure) {
                ClosedLoop.failed(failure);
            }

            @Override
            public void cancelled() {
                ClosedLoop.failed(new IllegalStateException("cancelled"));
            }
        })));
    }
}
