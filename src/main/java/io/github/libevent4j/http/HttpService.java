package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.internal.Micros;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A server with threads of its own: one or several loops that share its ports, each with a base and an {@link HttpServer}. Safe on any
 * thread. A handler is called by all loops, each request by one, so a handler is to be safe on several threads.
 *
 * <p>All loops end together. When an Error in a callback stops one, as it stops every loop, the others are closed too: a service that
 * went on with what is left would look well and be half away. {@link #stopped} tells.
 */
public final class HttpService implements AutoCloseable {

    private static final int MOST_LOOPS = 1024;

    /** Where the kernel spreads connections over the sockets of a port; elsewhere they go to one of them, or there is no such option. */
    private static final boolean SPREADS = System.getProperty("os.name").startsWith("Linux");

    private record Worker(EventBase base, HttpServer server, Thread thread) {
    }

    private final List<Worker> workers = new ArrayList<>();
    private final List<SocketAddress> bound = new ArrayList<>();
    private final CompletableFuture<Void> stopped = new CompletableFuture<>();
    private int running;
    private Throwable failure;

    private HttpService() {
    }

    /** Chooses where to listen and what to answer. */
    public static Builder newBuilder() {
        return new Builder();
    }

    /** What to make a service of. Not thread-safe. */
    public static final class Builder {
        private final List<SocketAddress> binds = new ArrayList<>();
        private final Map<String, HttpHandler> routes = new LinkedHashMap<>();
        private HttpHandler handler;
        private UnaryOperator<HttpServer.Builder> settings = UnaryOperator.identity();
        private EventBase.Builder bases; // null unless set
        private Consumer<? super Exception> exceptions;
        private int loops = 1;
        private boolean sharedSockets = !SPREADS;

        private Builder() {
        }

        /** Listens on an address, with port 0 on any that is free; may be called for several. */
        public Builder bind(String address, int port) {
            binds.add(InetSocketAddress.createUnresolved(Objects.requireNonNull(address, "address"), HttpServer.checkPort(port)));
            return this;
        }

        /** Listens on a local socket, whose path must not be there yet and is removed when the service ends. */
        public Builder bind(UnixDomainSocketAddress address) {
            binds.add(Objects.requireNonNull(address, "address"));
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

        /**
         * Has all loops accept on one socket for each address: a loop that has nothing else to do takes the next connection. Otherwise
         * each has a socket of its own, and the kernel spreads connections by their addresses (SO_REUSEPORT). A loop is woken in vain
         * when another was faster, but no connection waits for a loop that is busy, and none is lost when a loop ends. It is so in any
         * case for local sockets, and on systems whose kernel does not spread connections, which are all but Linux.
         */
        public Builder sharedSockets() {
            sharedSockets = true;
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

        /**
         * Sets backend and flags of each loop's base, in place of {@link EventBase.Flag#EPOLL_USE_CHANGELIST} alone, or of none where
         * loops share a socket.
         */
        public Builder base(EventBase.Builder builder) {
            bases = Objects.requireNonNull(builder, "builder");
            return this;
        }

        private EventBase.Builder bases() {
            boolean duplicates = loops > 1 && (sharedSockets || binds.stream().anyMatch(UnixDomainSocketAddress.class::isInstance));
            EventBase.Builder own = EventBase.newBuilder();
            return bases != null ? bases : duplicates ? own : own.flags(EventBase.Flag.EPOLL_USE_CHANGELIST); // which is not for duplicates
        }

        /** Tells of what callbacks throw, such as handlers, on the loops' threads; see {@link EventBase#onException}. */
        public Builder onException(Consumer<? super Exception> handler) {
            exceptions = Objects.requireNonNull(handler, "handler");
            return this;
        }

        /**
         * Listens, and starts the threads. Connections are accepted when this returns.
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
                service.run();
            } catch (Throwable e) {
                service.close();
                service.removeLocalSockets();
                throw e;
            }
            return service;
        }
    }

    private void add(Builder builder, int index) throws IOException {
        EventBase base = builder.bases().build();
        try {
            if (builder.exceptions != null) {
                base.onException(builder.exceptions);
            }
            HttpServer.Builder settings = builder.settings.apply(HttpServer.newBuilder(base));
            boolean ownSockets = builder.loops > 1 && !builder.sharedSockets;
            HttpServer server = (ownSockets ? settings.reusePort() : settings).build();
            if (builder.handler != null) {
                server.onRequest(builder.handler);
            }
            builder.routes.forEach(server::onRequest);
            for (int i = 0; i < builder.binds.size(); i++) {
                listen(server, builder.binds.get(i), index == 0 ? null : bound.get(i), ownSockets);
            }
            workers.add(new Worker(base, server, new Thread(() -> run(base), "libevent4j-http-" + index)));
        } catch (Throwable e) {
            base.close();
            throw e;
        }
    }

    /** Listens on an address that is new, or that the first server has bound. */
    private void listen(HttpServer server, SocketAddress address, SocketAddress first, boolean ownSockets) throws IOException {
        if (address instanceof InetSocketAddress inet && (first == null || ownSockets)) {
            InetSocketAddress got = server.bind(inet.getHostString(), first == null ? inet.getPort() : ((InetSocketAddress) first).getPort());
            if (first == null) {
                bound.add(got);
            }
        } else if (first == null) {
            server.bind((UnixDomainSocketAddress) address);
            bound.add(address);
        } else {
            server.bindWith(workers.get(0).server, first);
        }
    }

    /** Starts the threads, and waits until the loops run: what comes from other threads then goes through them. */
    private void run() {
        for (Worker worker : workers) {
            synchronized (this) {
                running++;
            }
            try {
                worker.thread.start();
            } catch (Throwable e) { // there is no thread to be had
                ended(null);
                throw e;
            }
            CompletableFuture.runAsync(() -> { }, worker.base).join();
        }
    }

    private void run(EventBase base) {
        Throwable thrown = null;
        try (base) {
            base.dispatch();
        } catch (Throwable e) {
            if (e instanceof IllegalStateException && !base.isOpen()) {
                return; // it was closed before this thread came to run it
            }
            thrown = e;
            throw e; // to the thread's handler too: nobody may look at the future
        } finally {
            ended(thrown);
        }
    }

    private void ended(Throwable thrown) {
        boolean last;
        synchronized (this) {
            if (failure == null) {
                failure = thrown;
            } else if (thrown != null) {
                failure.addSuppressed(thrown);
            }
            last = --running == 0;
        }
        if (thrown != null) {
            closeBases();
        }
        if (last) {
            finish();
        }
    }

    private void finish() {
        try {
            removeLocalSockets();
        } catch (IOException e) {
            if (failure == null) {
                failure = e;
            } else {
                failure.addSuppressed(e);
            }
        }
        if (failure == null) {
            stopped.complete(null);
        } else {
            stopped.completeExceptionally(failure);
        }
    }

    private void removeLocalSockets() throws IOException {
        for (SocketAddress address : bound) {
            if (address instanceof UnixDomainSocketAddress local) {
                Files.deleteIfExists(local.getPath());
            }
        }
    }

    /** Where the service listens with TCP, or did, with the ports that it got, in the order of {@link Builder#bind}. */
    public List<InetSocketAddress> addresses() {
        return bound.stream().filter(InetSocketAddress.class::isInstance).map(InetSocketAddress.class::cast).toList();
    }

    /** What all its loops' servers have counted so far, together; also when they are closed. */
    public HttpStats stats() {
        return workers.stream().map(worker -> worker.server.stats()).reduce(HttpStats.NONE, HttpStats::plus);
    }

    /** How the service ends: done when every loop has; failed with the Error that stopped one. */
    public CompletableFuture<Void> stopped() {
        return stopped.copy();
    }

    /**
     * Stops gracefully; see {@link HttpServer#stop}. What is stopping or closed already goes on to its end.
     *
     * @return {@link #stopped}
     */
    public CompletableFuture<Void> stop(Duration grace) {
        Micros.of(grace, "grace");
        for (Worker worker : workers) {
            worker.server.stop(grace).whenComplete((done, failure) -> worker.base.close());
        }
        return stopped();
    }

    /**
     * Closes all connections at once, and waits until the loops have ended; on a thread of a loop, as in a handler, it does not wait. An
     * interrupt ends the waiting, and stays.
     */
    @Override
    public void close() {
        closeBases();
        if (workers.stream().anyMatch(worker -> worker.thread == Thread.currentThread())) {
            return;
        }
        try {
            for (Worker worker : workers) {
                worker.thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeBases() {
        workers.forEach(worker -> worker.base.close());
    }
}
