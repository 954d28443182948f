package benchmarks.client;

import benchmarks.Answers;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** The JDK's client, with threads of its own. */
public final class Jdk {

    private Jdk() {
    }

    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ClosedLoop.port(args) + "/")).build();
        Answers.ready(new ClosedLoop(ClosedLoop.connections(args), (connection, done) ->
            client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()).whenComplete((response, failure) -> {
                if (failure == null) {
                    done.received(response.statusCode(), response.body().length);
                } else {
                    ClosedLoop.failed(failure);
                }
            })));
    }
}
