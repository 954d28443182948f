package benchmarks.client;

import benchmarks.Answers;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpRequest;

/** This library's connections on one loop. */
public final class Libevent4j {

    private Libevent4j() {
    }

    public static void main(String[] args) throws Exception {
        EventBase base = EventBase.newBuilder().flags(EventBase.Flag.EPOLL_USE_CHANGELIST).build();
        HttpRequest request = HttpRequest.newBuilder("/").build();
        HttpConnection[] connections = new HttpConnection[ClosedLoop.connections(args)];
        for (int i = 0; i < connections.length; i++) {
            connections[i] = HttpConnection.create(base, "127.0.0.1", ClosedLoop.port(args));
        }
        new Thread(() -> base.loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY), "loop").start();
        Answers.ready(new ClosedLoop(connections.length, (connection, done) ->
            connections[connection].send(request).whenComplete((response, failure) -> {
                if (failure == null) {
                    done.received(response.status(), response.body().length);
                } else {
                    ClosedLoop.failed(failure);
                }
            })));
    }
}
