package benchmarks.client;

import benchmarks.Answers;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpRequest;

/** This library's client that keeps connections and has a loop of its own. */
public final class Libevent4jPooled {

    private Libevent4jPooled() {
    }

    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newBuilder().maxConnections(ClosedLoop.connections(args)).build();
        HttpRequest request = HttpRequest.newBuilder("http://127.0.0.1:" + ClosedLoop.port(args) + "/").build();
        Answers.ready(new ClosedLoop(ClosedLoop.connections(args), (connection, done) ->
            client.sendAsync(request).whenComplete((response, failure) -> {
                if (failure == null) {
                    done.received(response.status(), response.body().length);
                } else {
                    ClosedLoop.failed(failure);
                }
            })));
    }
}
