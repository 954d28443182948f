import io.github.libevent4j.Libevent;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpService;

/** Serves itself one request, with the version of libevent for an answer. */
public class Consumer {
    public static void main(String[] args) throws Exception {
        try (HttpService service = HttpService.newBuilder()
                 .bind("127.0.0.1", 0)
                 .handler(exchange -> exchange.reply(200, "served by libevent " + Libevent.version() + "\n"))
                 .start();
             HttpClient client = HttpClient.create()) {
            String url = "http://127.0.0.1:" + service.addresses().get(0).getPort() + "/";
            System.out.print(client.send(HttpRequest.newBuilder(url).build()).bodyText());
        }
    }
}
