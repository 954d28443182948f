import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.FileHandler;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.http.HttpUri;
import io.github.libevent4j.io.Buffer;
import java.io.IOException;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A server with a reply of every kind. */
@Command(name = "serve", description = "Serves until SIGINT or SIGTERM.")
final class Serve implements Callable<Integer> {

    private static final long GIBIBYTE = 1L << 30;
    private static final byte[] BLOCK = new byte[64 * 1024];

    static {
        for (int i = 0; i < BLOCK.length; i++) {
            BLOCK[i] = (byte) (i % 64 == 63 ? '\n' : 'a' + i % 26);
        }
    }

    @Option(names = "--bind", paramLabel = "A", defaultValue = "127.0.0.1", description = "Address to listen on (${DEFAULT-VALUE}).")
    private String address;

    @Option(names = "--port", paramLabel = "N", defaultValue = "8080", description = "Port, 0 for a free one (${DEFAULT-VALUE}).")
    private int port;

    @Option(names = "--root", paramLabel = "DIR", description = "What /files/ shows.")
    private Path root;

    @Option(names = "--exact", description = "Keep libevent's own defaults.")
    private boolean exact;

    @Option(names = "--strict", description = "Refuse framing that two readers could understand differently, with --exact too.")
    private boolean strict;

    @Option(names = "--loops", paramLabel = "N", defaultValue = "1", description = "Loops, each with a thread (${DEFAULT-VALUE}).")
    private int loops;

    @Option(names = "--access-log", description = "Print each request in the Combined Log Format when it is through.")
    private boolean accessLog;

    private final ObjectMapper json = new ObjectMapper();
    private final ScheduledExecutorService workers = Executors.newSingleThreadScheduledExecutor();
    private FileHandler files;

    @Override
    public Integer call() throws IOException {
        files = root == null || exact ? null : new FileHandler(root, "/files/");
        try (EventBase base = EventBase.create(); // for the signals
             HttpService service = HttpService.newBuilder()
                 .bind(address, port)
                 .loops(loops)
                 .server(this::configure)
                 .handler(this::handle)
                 .start()) {
            service.stopped().whenComplete((done, failure) -> base.stop());
            Samples.run(base, service.addresses().get(0), () -> service.stop(Samples.GRACE));
            service.stopped().join();
        } finally {
            workers.shutdownNow();
        }
        return 0;
    }

    private HttpServer.Builder configure(HttpServer.Builder builder) {
        if (exact) {
            builder.exact();
        }
        if (strict) {
            builder.strictFraming(true);
        }
        if (accessLog) {
            builder.accessLog(entry -> System.out.println(entry.combinedFormat()));
        }
        return builder.allowAllMethods();
    }

    private void handle(HttpExchange exchange) throws IOException {
        if (exchange.method() == HttpMethod.CONNECT) {
            exchange.reply(405, "This is no proxy.\n");
            return;
        }
        String path = exchange.uri().path();
        try {
            switch (path) {
                case "/" -> exchange.header("Content-Type", "text/plain").reply(200, "Hello, World!");
                case "/echo" -> echo(exchange);
                case "/inspect" -> inspect(exchange);
                case "/chunks" -> chunks(exchange, parameter(exchange, "count", 0, 1_000_000), parameter(exchange, "size", 1, BLOCK.length));
                case "/delay" -> delay(exchange, parameter(exchange, "ms", 0, TimeUnit.HOURS.toMillis(1)));
                case "/boom" -> throw new IllegalStateException("boom, as was asked for");
                default -> {
                    if (path.startsWith("/status/")) { // below 200 a status does not end its request
                        exchange.reply((int) number("the status", path.substring("/status/".length()), 200, 999));
                    } else if (path.startsWith("/bytes/")) {
                        bytes(exchange, number("the length", path.substring("/bytes/".length()), 0, GIBIBYTE));
                    } else if (path.startsWith("/files/") && files != null) {
                        files.handle(exchange);
                    } else if (path.startsWith("/files/")) {
                        file(exchange, path.substring("/files/".length()));
                    } else {
                        notFound(exchange);
                    }
                }
            }
        } catch (BadRequest e) {
            exchange.reply(400, e.getMessage() + "\n");
        }
    }

    private static void notFound(HttpExchange exchange) {
        exchange.reply(404, "There is no such thing here.\n");
    }

    // ---- numbers in requests

    private static final class BadRequest extends Exception {
        BadRequest(String message) {
            super(message);
        }
    }

    private static long parameter(HttpExchange exchange, String name, long min, long max) throws BadRequest {
        return number(name, exchange.uri().queryParameter(name).orElse(""), min, max);
    }

    private static long number(String what, String digits, long min, long max) throws BadRequest {
        if (digits.matches("[0-9]{1,18}")) {
            long number = Long.parseLong(digits);
            if (number >= min && number <= max) {
                return number;
            }
        }
        throw new BadRequest(what + " must be a number from " + min + " to " + max + ", not \"" + digits + "\"");
    }

    // ---- the request, sent back

    private static void echo(HttpExchange exchange) {
        exchange.firstHeader("Content-Type").ifPresent(type -> exchange.header("Content-Type", type));
        try (Buffer body = exchange.takeBody()) {
            exchange.reply(200, body);
        }
    }

    private void inspect(HttpExchange exchange) {
        ObjectNode request = json.createObjectNode()
            .put("method", exchange.method().name())
            .put("uri", exchange.rawUri())
            .put("path", exchange.uri().path())
            .put("query", exchange.uri().query().orElse(null))
            .put("version", exchange.version())
            .put("host", exchange.host().orElse(null));
        request.putObject("remote")
            .put("address", exchange.remoteAddress().getHostString())
            .put("port", exchange.remoteAddress().getPort());
        ArrayNode headers = request.putArray("headers");
        exchange.headers().forEach((name, value) -> headers.addArray().add(name).add(value));
        request.put("bodyLength", exchange.bodyLength());
        exchange.header("Content-Type", "application/json").reply(200, request + "\n");
    }

    // ---- bodies that are made while they are sent

    private static void bytes(HttpExchange exchange, long length) {
        ChunkedReply reply = exchange.header("Content-Type", "text/plain").header("Content-Length", Long.toString(length)).start(200);
        sendBytes(reply, length);
    }

    private static void sendBytes(ChunkedReply reply, long left) {
        if (left == 0) {
            reply.end();
            return;
        }
        byte[] piece = left < BLOCK.length ? Arrays.copyOf(BLOCK, (int) left) : BLOCK;
        // The next when this one is with the kernel; never, when the client has left.
        reply.send(piece).thenRun(() -> sendBytes(reply, left - piece.length));
    }

    private static void chunks(HttpExchange exchange, long count, long size) {
        sendChunks(exchange.header("Content-Type", "text/plain").start(200), count, Arrays.copyOf(BLOCK, (int) size));
    }

    private static void sendChunks(ChunkedReply reply, long left, byte[] chunk) {
        if (left == 0) {
            reply.end();
        } else {
            reply.send(chunk).thenRun(() -> sendChunks(reply, left - 1, chunk));
        }
    }

    // ---- a reply from another thread

    private void delay(HttpExchange exchange, long millis) {
        exchange.defer();
        workers.schedule(() -> exchange.reply(200, "This took " + millis + " ms.\n"), millis, TimeUnit.MILLISECONDS);
    }

    // ---- files, without what FileHandler adds to what libevent does

    private void file(HttpExchange exchange, String path) throws IOException {
        if (exchange.method() != HttpMethod.GET && exchange.method() != HttpMethod.HEAD) {
            exchange.header("Allow", "GET, HEAD").reply(405, "Files can only be read.\n");
            return;
        }
        String decoded = HttpUri.decode(path, false);
        try (FileChannel file = open(List.of(decoded.split("/", -1)))) {
            String type = URLConnection.guessContentTypeFromName(decoded);
            exchange.header("Content-Type", type == null ? "application/octet-stream" : type);
            exchange.reply(200, file, 0, file.size());
        } catch (FileSystemException | InvalidPathException e) {
            notFound(exchange);
        }
    }

    private FileChannel open(List<String> names) throws IOException {
        if (root == null || names.stream().anyMatch(Set.of("", ".", "..")::contains)) {
            throw new NoSuchFileException(names.toString());
        }
        try (DirectoryStream<Path> directory = Files.newDirectoryStream(root)) {
            return open((SecureDirectoryStream<Path>) directory, names);
        }
    }

    /**
     * Each step starts at the directory that the step before has opened, and none follows a symbolic link: whatever the names
     * are, and whatever is moved meanwhile, no step leads out of the root.
     */
    private static FileChannel open(SecureDirectoryStream<Path> directory, List<String> names) throws IOException {
        Path name = Path.of(names.get(0));
        List<String> rest = names.subList(1, names.size());
        // Looked at first: to open a pipe would wait for its writer.
        BasicFileAttributes attributes =
            directory.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS).readAttributes();
        if (rest.isEmpty() && attributes.isRegularFile()) {
            return (FileChannel) directory.newByteChannel(name, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
        }
        if (!rest.isEmpty() && attributes.isDirectory()) {
            try (SecureDirectoryStream<Path> next = directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                return open(next, rest);
            }
        }
        throw new NoSuchFileException(name.toString());
    }
}
