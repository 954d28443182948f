package benchmarks.client;

import benchmarks.Answers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;

/**
 * A request under way on each connection, and another when its response is there. A client's arguments are the server's port, on
 * 127.0.0.1, and how many connections.
 */
final class ClosedLoop implements Answers.Work {

    /** Sends a request, on the connection of that number where that is for the program to choose. */
    @FunctionalInterface
    interface Client {
        void send(int connection, Response response);
    }

    /** Hears of a response. */
    @FunctionalInterface
    interface Response {
        void received(int status, int bodyLength);
    }

    private static final int BODY_LENGTH = "Hello, World!".length();

    private final int connections;
    private final Client client;
    private final LongAdder operations = new LongAdder();
    private final Response[] responses;
    private volatile boolean more;
    private volatile CountDownLatch busy;

    ClosedLoop(int connections, Client client) {
        this.connections = connections;
        this.client = client;
        this.responses = new Response[connections];
        for (int i = 0; i < connections; i++) {
            int connection = i;
            responses[i] = (status, bodyLength) -> received(connection, status, bodyLength);
        }
    }

    static int port(String[] args) {
        return Integer.parseInt(args[0]);
    }

    static int connections(String[] args) {
        return Integer.parseInt(args[1]);
    }

    /** A request has failed, and with it the program. */
    static void failed(Throwable failure) {
        failure.printStackTrace();
        System.exit(1);
    }

    @Override
    public long run(double seconds) throws InterruptedException {
        operations.reset();
        busy = new CountDownLatch(connections);
        more = true;
        for (int i = 0; i < connections; i++) {
            client.send(i, responses[i]);
        }
        Thread.sleep((long) (seconds * 1000));
        more = false;
        busy.await();
        return operations.sum();
    }

    private void received(int connection, int status, int bodyLength) {
        if (status != 200 || bodyLength != BODY_LENGTH) {
            failed(new IllegalStateException("a response " + status + " of " + bodyLength + " bytes"));
        }
        operations.increment();
        if (more) {
            client.send(connection, responses[connection]);
        } else {
            busy.countDown();
        }
    }
}
