package benchmarks.micro;

import io.github.libevent4j.http.Headers;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpService;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** The headers of a request that has come over a socket, 30 of them and those that a client adds. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HeaderAccess {

    private volatile Headers headers;

    @Setup
    public void receive() throws IOException {
        try (HttpService service = HttpService.newBuilder().bind("127.0.0.1", 0).handler(exchange -> {
                 headers = exchange.headers();
                 exchange.reply(200);
             }).start();
             HttpClient client = HttpClient.create()) {
            var request = HttpRequest.newBuilder("http://127.0.0.1:" + service.addresses().get(0).getPort() + "/");
            for (int i = 1; i <= 30; i++) {
                request.header("X-Header-" + i, "a value of a usual length, number " + i);
            }
            client.send(request.build());
        }
    }

    /** The 30th by its name (evhttp_find_header). */
    @Benchmark
    public Optional<String> last() {
        return headers.first("x-header-30");
    }

    /** One that is not there. */
    @Benchmark
    public Optional<String> missing() {
        return headers.first("Authorization");
    }

    /** All of them. */
    @Benchmark
    public void each(Blackhole sink) {
        headers.forEach((name, value) -> {
            sink.consume(name);
            sink.consume(value);
        });
    }
}
