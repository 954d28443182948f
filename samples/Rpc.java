import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpServer;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A JSON-RPC 1.0 server with the manners of Bitcoin's daemons. The loop checks who asks, a bounded pool of workers does what is
 * asked for, and the loop sends what they answer.
 */
@Command(name = "rpc", description = "Serves JSON-RPC until SIGINT, SIGTERM or the method stop.")
final class Rpc implements Callable<Integer> {

    private static final int MISC_ERROR = -1;
    private static final int PARSE_ERROR = -32700;
    private static final int INVALID_REQUEST = -32600;
    private static final int METHOD_NOT_FOUND = -32601;

    /** Numbers are kept as they were written, to the last digit: they may be money. */
    static final JsonMapper JSON = JsonMapper.builder()
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .nodeFactory(JsonNodeFactory.withExactBigDecimals(true))
        .build();

    @Option(names = "--port", paramLabel = "N", required = true, description = "Port, 0 for a free one.")
    private int port;

    @Option(names = "--user", paramLabel = "U", required = true)
    private String user;

    @Option(names = "--password", paramLabel = "P", required = true)
    private String password;

    @Option(names = "--workers", paramLabel = "N", defaultValue = "4", description = "Threads that run methods (${DEFAULT-VALUE}).")
    private int workers;

    @Option(names = "--queue", paramLabel = "N", defaultValue = "16",
        description = "Requests that may wait for a worker (${DEFAULT-VALUE}).")
    private int queue;

    private final long started = System.nanoTime();
    private final Map<String, UnaryOperator<JsonNode>> methods = new TreeMap<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (workers < 1 || queue < 1) {
            throw new IllegalArgumentException("--workers and --queue take at least 1");
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(workers, workers, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(queue));
        try (EventBase base = EventBase.create();
             HttpServer http = HttpServer.newBuilder(base).allowAllMethods().build()) {
            methods.put("echo", params -> params);
            methods.put("help", params -> new TextNode(String.join("\n", methods.keySet())));
            methods.put("uptime", params -> new LongNode(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started)));
            methods.put("stop", params -> {
                base.execute(() -> Samples.stop(base, http));
                return new TextNode("stopping");
            });
            http.onRequest("/", exchange -> receive(exchange, pool));
            try {
                Samples.run(base, http, http.bind("127.0.0.1", port));
            } finally {
                pool.shutdown();
                pool.awaitTermination(1, TimeUnit.MINUTES); // while there is still a base to reply through
            }
        }
        return 0;
    }

    // ---- on the loop

    private void receive(HttpExchange exchange, ThreadPoolExecutor pool) {
        if (exchange.method() != HttpMethod.POST) {
            exchange.header("Allow", "POST").reply(405, "JSONRPC server handles only POST requests");
        } else if (!isAuthorized(exchange)) {
            exchange.header("WWW-Authenticate", "Basic realm=\"jsonrpc\"").reply(401);
        } else {
            exchange.defer();
            try {
                pool.execute(() -> answer(exchange));
            } catch (RejectedExecutionException e) {
                exchange.reply(503, "Work queue depth exceeded");
            }
        }
    }

    private boolean isAuthorized(HttpExchange exchange) {
        String[] authorization = exchange.firstHeader("Authorization").orElse("").split(" ", 2);
        if (authorization.length < 2 || !authorization[0].equalsIgnoreCase("Basic")) {
            return false;
        }
        try {
            byte[] given = Base64.getDecoder().decode(authorization[1].strip());
            return MessageDigest.isEqual(given, (user + ":" + password).getBytes(UTF_8)); // in a time that tells nothing
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    // ---- on a worker

    private void answer(HttpExchange exchange) {
        JsonNode reply = reply(exchange.body());
        int status = switch (reply.path("error").path("code").asInt()) {
            case 0 -> 200; // a result, or a batch
            case INVALID_REQUEST -> 400;
            case METHOD_NOT_FOUND -> 404;
            default -> 500;
        };
        exchange.header("Content-Type", "application/json").reply(status, reply + "\n");
    }

    private JsonNode reply(byte[] body) {
        try {
            JsonNode request = JSON.readTree(body);
            if (request.isObject()) {
                return execute(request);
            }
            if (request.isArray()) {
                ArrayNode replies = JSON.createArrayNode();
                request.forEach(each -> replies.add(execute(each)));
                return replies;
            }
            return failure(PARSE_ERROR, "Top-level object parse error", NullNode.instance);
        } catch (IOException e) {
            return failure(PARSE_ERROR, "Parse error", NullNode.instance);
        }
    }

    private JsonNode execute(JsonNode request) {
        JsonNode id = request.hasNonNull("id") ? request.get("id") : NullNode.instance;
        if (!request.isObject()) {
            return failure(INVALID_REQUEST, "Invalid Request object", id);
        }
        JsonNode method = request.path("method");
        if (!method.isTextual()) {
            return failure(INVALID_REQUEST, method.isMissingNode() ? "Missing method" : "Method must be a string", id);
        }
        JsonNode params = request.hasNonNull("params") ? request.get("params") : JSON.createArrayNode();
        if (!params.isContainerNode()) {
            return failure(INVALID_REQUEST, "Params must be an array or object", id);
        }
        UnaryOperator<JsonNode> body = methods.get(method.asText());
        if (body == null) {
            return failure(METHOD_NOT_FOUND, "Method not found", id);
        }
        try {
            return message(body.apply(params), NullNode.instance, id);
        } catch (RuntimeException e) {
            return failure(MISC_ERROR, e.toString(), id);
        }
    }

    private static JsonNode failure(int code, String message, JsonNode id) {
        return message(NullNode.instance, JSON.createObjectNode().put("code", code).put("message", message), id);
    }

    private static JsonNode message(JsonNode result, JsonNode error, JsonNode id) {
        ObjectNode message = JSON.createObjectNode();
        message.set("result", result);
        message.set("error", error);
        message.set("id", id);
        return message;
    }
}
