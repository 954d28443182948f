import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A client of {@link Rpc}, and of whatever else speaks JSON-RPC 1.0. */
@Command(name = "rpc-call", description = "Calls a method of a JSON-RPC server and prints its result.")
final class RpcCall implements Callable<Integer> {

    @Option(names = "--port", paramLabel = "N", required = true)
    private int port;

    @Option(names = "--user", paramLabel = "U", required = true)
    private String user;

    @Option(names = "--password", paramLabel = "P", required = true)
    private String password;

    @Parameters(index = "0", paramLabel = "METHOD")
    private String method;

    @Parameters(index = "1..*", paramLabel = "PARAM", description = "JSON; what is not is a string.")
    private List<String> params = List.of();

    @Override
    public Integer call() throws IOException {
        ObjectNode call = Rpc.JSON.createObjectNode().put("method", method).put("id", "rpc-call");
        ArrayNode array = call.putArray("params");
        params.forEach(param -> array.add(jsonOrText(param)));

        HttpResponse response;
        try (EventBase base = EventBase.create();
             HttpConnection connection = HttpConnection.create(base, "127.0.0.1", port)) {
            HttpRequest request = HttpRequest.newBuilder("/").POST(call.toString())
                .header("Content-Type", "application/json").header("Connection", "close")
                .basicAuth(user, password).build();
            response = Samples.await(base, connection.send(request));
        }

        JsonNode reply = json(response.bodyText());
        if (!reply.has("result")) {
            System.err.println("rpc-call: the server answered " + (response.status() + " " + response.reason() + " " + response.bodyText()).strip());
            return 1;
        }
        if (reply.hasNonNull("error")) {
            System.err.println("rpc-call: error " + reply.get("error").path("code") + ": " + reply.get("error").path("message").asText());
            return 1;
        }
        System.out.println(reply.get("result").isTextual() ? reply.get("result").asText() : reply.get("result").toPrettyString());
        return 0;
    }

    private static JsonNode jsonOrText(String text) {
        JsonNode json = json(text);
        return json.isMissingNode() ? new TextNode(text) : json;
    }

    /** Missing, when the text is not JSON. */
    private static JsonNode json(String text) {
        try {
            return Rpc.JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }
}
