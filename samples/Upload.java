import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpBody;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpUri;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Sends a file, or standard input, of any size: what the server is not ready for is not read yet. */
@Command(name = "upload", description = "PUTs a file to a URL, and shows how far it is.")
final class Upload implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "FILE", description = "What to send, - for standard input.")
    private String file;

    @Parameters(index = "1", paramLabel = "URL", description = "http://HOST[:PORT]/PATH")
    private String url;

    @Override
    public Integer call() throws IOException {
        HttpUri uri = HttpUri.parse(url);
        if (!uri.scheme().orElse("").equalsIgnoreCase("http") || uri.host().orElse("").isEmpty() || uri.path().isEmpty()) {
            throw new IllegalArgumentException("only to http://HOST[:PORT]/PATH can be sent");
        }
        boolean standardInput = file.equals("-");
        long length = !standardInput && Files.isRegularFile(Path.of(file)) ? Files.size(Path.of(file)) : -1; // of a pipe nobody knows
        ExecutorService reader = Executors.newSingleThreadExecutor(); // to read may take its time, for which the loop has none
        HttpResponse response;
        try (InputStream in = standardInput ? System.in : Files.newInputStream(Path.of(file));
             Progress progress = new Progress(System.err, length);
             EventBase base = EventBase.create();
             HttpConnection connection = HttpConnection.create(base, uri.host().get().replaceAll("[\\[\\]]", ""), uri.port() < 0 ? 80 : uri.port())) {
            InputStream counted = new Counted(in, progress);
            HttpBody body = length < 0 ? HttpBody.ofStream(counted, reader) : HttpBody.ofStream(counted, length, reader);
            String target = uri.path() + uri.query().map(query -> "?" + query).orElse("");
            response = Samples.await(base, connection.send(HttpRequest.newBuilder(target).method(HttpMethod.PUT, body).build()));
        } finally {
            reader.shutdownNow();
        }
        System.out.println(response);
        System.out.write(response.body());
        System.out.flush();
        return response.status() / 100 == 2 ? 0 : 1;
    }

    /** Tells of what is read. */
    private static final class Counted extends FilterInputStream {

        private final Progress progress;

        Counted(InputStream in, Progress progress) {
            super(in);
            this.progress = progress;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = super.read(target, offset, length);
            progress.add(Math.max(count, 0));
            return count;
        }
    }
}
