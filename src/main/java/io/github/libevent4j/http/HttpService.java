package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.internal.Micros;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/**
 * A server with threads of its own: one or several loops that share its ports (SO_REUSEPORT), each with a base and an
 * {@link HttpServer}. Safe on any thread. A handler is called by all loops, each request by one.
 */
public final class HttpService implements AutoCloseable {

    private static final int MOST_LOOPS = 1024;

    private record Worker(EventBase base, HttpServer server, Thread thread) {
    }

    private final List<Worker> workers = new ArrayList<>();
    private final List<InetSocketAddress> addresses = new ArrayList<>();
    private final CompletableFuture<Void> stopped = new CompletableFuture<>();

    private HttpService() {
    }

    /** Chooses where to listen and what to answer. */
    public static Builder newBuilder() {
        return new Builder();
    }

    /** What to make a service of. Not thread-safe. */
    public static final class Builder {
        private final List<InetSocketAddress> binds = new ArrayList<>();
        private final Map<String, HttpHandler> routes = new LinkedHashMap<>();
        private HttpHandler handler;
        private UnaryOperator<HttpServer.Builder> settings = UnaryOperator.identity();
        private EventBase.Builder bases = EventBase.newBuilder();
        private int loops = 1;

        private Builder() {
        }

        /** Listens on an address, with port 0 on any that is free; may be called for several. */
        public Builder bind(String address, int port) {
            if (port < 0 || port > 0xFFFF) {
                throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
            }
            binds.add(InetSocketAddress.createUnresolved(Objects.requireNonNull(address, "address"), port));
            return this;
        }

        /** How many loops, each with a thread, at most 1024; 1 unless set. */
        public Builder loops(int count) {
            if (count < 1 || count > MOST_LOOPS) {
                throw new IllegalArgumentException("a service has 1 to " + MOST_LOOPS + " loops, not " + count);
            }
            loops = count;
            return this;
        }

        /** Answers every request that no path's handler answers. Its thread is a loop's unless it is {@linkplain HttpHandler#on on} others. */
        public Builder handler(HttpHandler handler) {
            this.handler = Objects.requireNonNull(handler, "handler");
            return this;
        }

        /** Answers the requests for a path. */
        public Builder handler(String path, HttpHandler handler) {
            HttpServer.checkPath(path);
            routes.put(path, Objects.requireNonNull(handler, "handler"));
            return this;
        }

        /** Sets limits and behaviour of each loop's server. */
        public Builder server(UnaryOperator<HttpServer.Builder> settings) {
            this.settings = Objects.requireNonNull(settings, "settings");
            return this;
        }

        /** Sets backend and flags of each loop's base. */
        public Builder base(EventBase.Builder builder) {
            bases = Objects.requireNonNull(builder, "builder");
            return this;
        }

        /**
         * Listens, and starts the threads.
         *
         * @throws IOException when an address cannot be had; nothing is left then
         */
        public HttpService start() throws IOException {
            if (binds.isEmpty()) {
                throw new IllegalStateException("a service listens somewhere: call bind() first");
            }
            HttpService service = new HttpService();
            try {
                for (int i = 0; i < loops; i++) {
                    service.add(this, i);
                }
            } catch (Throwable e) {
                service.workers.forEach(worker -> worker.base.close());
                throw e;
            }
            service.workers.forEach(worker -> worker.thread.start());
            return service;
        }
    }

    private void add(Builder builder, int index) throws IOException {
        EventBase base = builder.bases.build();
        HttpServer.Builder settings = builder.settings.apply(HttpServer.newBuilder(base));
        HttpServer server = (builder.loops > 1 ? settings.reusePort() : settings).build();
        workers.add(new Worker(base, server, new Thread(() -> run(base), "libevent4j-http-" + index)));
        if (builder.handler != null) {
            server.onRequest(builder.handler);
        }
        builder.routes.forEach(server::onRequest);
        for (int i = 0; i < builder.binds.size(); i++) {
            InetSocketAddress bind = builder.binds.get(i);
            if (index == 0) {
                addresses.add(server.bind(bind.getHostString(), bind.getPort()));
            } else {
                server.bind(bind.getHostString(), addresses.get(i).getPort());
            }
        }
    }

    private void run(EventBase base) {
        try (base) {
            base.dispatch();
        } catch (IllegalStateException e) {
            if (base.isOpen()) { // else it was closed before this thread came to run it
                stopped.completeExceptionally(e);
                throw e;
            }
        } catch (Throwable e) {
            stopped.completeExceptionally(e);
            throw e;
        } finally {
            synchronized (this) {
                workers.removeIf(worker -> worker.base == base);
                if (workers.isEmpty()) {
                    stopped.complete(null);
                }
            }
        }
    }

    /** Where the service listens, or did, with the ports that it got, in the order of {@link Builder#bind}. */
    public List<InetSocketAddress> addresses() {
        return List.copyOf(addresses);
    }

    /**
     * Stops gracefully; see {@link HttpServer#stop}. What is stopping or closed already goes on to its end.
     *
     * @return done when every loop has ended; failed with what an Error in a handler stopped one
     */
    public CompletableFuture<Void> stop(Duration grace) {
        Micros.of(grace, "grace");
        List<Worker> running;
        synchronized (this) {
            running = List.copyOf(workers);
        }
        for (Worker worker : running) {
            worker.server.stop(grace).whenComplete((done, failure) -> worker.base.close());
        }
        return stopped;
    }

    /** Closes all connections at once. Returns before the threads have ended. */
    @Override
    public void close() {
        List<Worker> running;
        synchronized (this) {
            running = List.copyOf(workers);
        }
        running.forEach(worker -> worker.base.close());
    }
}
