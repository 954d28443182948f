import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponseStream;
import io.github.libevent4j.http.HttpUri;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Saves a response of any size: what the disk is not ready for, the server does not send yet. */
@Command(name = "download", description = "Saves what a URL leads to in a file, and shows how far it is.")
final class Download implements Callable<Integer> {

    @Option(names = "-o", paramLabel = "FILE", description = "Where to save it; else in a file that is named as the URL's path ends.")
    private Path file;

    @Parameters(paramLabel = "URL", description = "http://HOST[:PORT]/PATH")
    private String url;

    @Override
    public Integer call() throws IOException {
        Path target = file != null ? file : Path.of(name(HttpUri.parse(url)));
        try (HttpClient client = HttpClient.newBuilder().deadline(Duration.ofDays(1)).maxRedirects(5).build();
             HttpResponseStream response = client.open(HttpRequest.newBuilder(url).build())) {
            if (response.head().status() != 200) {
                throw new IOException(url + " gives " + response.head());
            }
            boolean saved = false;
            try {
                save(response, target);
                saved = true;
            } finally {
                if (!saved && Files.isRegularFile(target)) {
                    Files.delete(target); // half of it is nothing
                }
            }
        }
        return 0;
    }

    private static void save(HttpResponseStream response, Path target) throws IOException {
        long length = response.head().headers().first("Content-Length").map(Long::parseLong).orElse(-1L);
        byte[] part = new byte[64 * 1024];
        try (InputStream in = response.body(); OutputStream out = Files.newOutputStream(target); Progress progress = new Progress(System.err, length)) {
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                out.write(part, 0, n);
                progress.add(n);
            }
        }
    }

    private static String name(HttpUri uri) {
        String name = HttpUri.decode(uri.path().substring(uri.path().lastIndexOf('/') + 1), false);
        if (name.isEmpty() || name.equals(".") || name.equals("..") || name.contains("/")) {
            throw new IllegalArgumentException("the path of " + uri + " does not end with a file's name: give one with -o");
        }
        return name;
    }
}
