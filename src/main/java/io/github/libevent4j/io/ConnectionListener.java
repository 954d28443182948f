package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.evconnlistener;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.Objects;

/**
 * Accepts connections (evconnlistener). Belongs to its base's loop, and is closed with it; what it has accepted stays.
 *
 * <p>When accepting fails, for example because the process has no descriptor left, it pauses, from 10 milliseconds up to a second,
 * and tries again; {@link Builder#onError} hears of it.
 */
public final class ConnectionListener extends NativeHandle {

    private static final System.Logger LOGGER = System.getLogger("io.github.libevent4j");
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** A connection that was accepted. It is closed when its handler returns, unless that has taken it. */
    public static final class Accepted {
        private final EventBase base;
        private final long descriptor;
        private final SocketAddress peer;
        private boolean taken;
        private boolean closed;

        private Accepted(EventBase base, long descriptor, SocketAddress peer) {
            this.base = base;
            this.descriptor = descriptor;
            this.peer = peer;
        }

        /** The other side's address; of a local socket one without a path. */
        public SocketAddress peer() {
            return peer;
        }

        /** A bufferevent that owns the connection; reading is to be enabled. */
        public BufferEvent toBufferEvent(BufferEvent.Option... options) {
            ensureOpen();
            try {
                BufferEvent made = BufferEvent.create(base, descriptor, options);
                taken = true;
                return made;
            } catch (IOException e) { // it was accepted just now
                throw new IllegalStateException(e);
            }
        }

        /** The connection's non-blocking socket, which the caller owns from now on. */
        public long take() {
            ensureOpen();
            taken = true;
            return descriptor;
        }

        private void ensureOpen() {
            if (taken || closed) {
                throw new IllegalStateException(taken ? "this connection is taken already"
                    : "this connection was closed when its handler returned without having taken it");
            }
        }
    }

    /** Takes connections. On the loop's thread. */
    @FunctionalInterface
    public interface Handler {
        /** @param connection to be taken before this returns */
        void accepted(Accepted connection) throws Exception;
    }

    /** Hears that accepting failed. On the loop's thread. */
    @FunctionalInterface
    public interface ErrorHandler {
        /** @param failure why; the listener has paused, and goes on by itself */
        void failed(IOException failure) throws Exception;
    }

    private final EventBase base;
    private final Loop loop;
    private final evconnlistener listener;
    private final long id;
    private final SocketAddress address;
    private final Handler handler;
    private final ErrorHandler errorHandler;
    private final Timer resume;
    private Duration pause = FIRST_PAUSE;
    private boolean enabled;

    private ConnectionListener(Builder builder, long listener, long id) {
        super(builder.base);
        this.base = builder.base;
        this.loop = Loop.of(base);
        this.listener = Addresses.of(listener, evconnlistener::new);
        this.id = id;
        this.handler = builder.handler;
        this.errorHandler = builder.errorHandler;
        this.enabled = !builder.disabled;
        this.resume = Timer.create(base, this::resume);
        if (builder.address instanceof InetSocketAddress inet) {
            this.address = new InetSocketAddress(inet.getAddress(),
                Native.libevent4j_local_port(libevent.evconnlistener_get_fd(this.listener)));
        } else {
            this.address = builder.address;
        }
    }

    /** Listens on an address; see {@link Builder} for more. */
    public static ConnectionListener bind(EventBase base, SocketAddress address, Handler handler) throws IOException {
        return newBuilder(base, address, handler).bind();
    }

    /**
     * Chooses how to listen first.
     *
     * @param address resolved, with port 0 for any that is free; or a {@link UnixDomainSocketAddress} whose file does not exist yet,
     *     and stays when the listener is closed
     */
    public static Builder newBuilder(EventBase base, SocketAddress address, Handler handler) {
        return new Builder(base, address, handler);
    }

    /** How to listen. Not thread-safe. */
    public static final class Builder {
        private final EventBase base;
        private final SocketAddress address;
        private final Handler handler;
        private ErrorHandler errorHandler = failure -> LOGGER.log(System.Logger.Level.WARNING, failure.getMessage());
        private int backlog = 128;
        private int flags = libevent.LEV_OPT_CLOSE_ON_FREE | libevent.LEV_OPT_CLOSE_ON_EXEC;
        private boolean disabled;

        private Builder(EventBase base, SocketAddress address, Handler handler) {
            this.base = Objects.requireNonNull(base, "base");
            this.handler = Objects.requireNonNull(handler, "handler");
            this.address = address;
            if (address instanceof InetSocketAddress inet) {
                if (inet.isUnresolved()) {
                    throw new IllegalArgumentException(address + " is not resolved");
                }
                flags |= libevent.LEV_OPT_REUSEABLE;
            } else if (!(address instanceof UnixDomainSocketAddress local) || local.getPath().toString().isEmpty()) {
                throw new IllegalArgumentException(address + " is neither an internet address nor the path of a local one");
            }
        }

        /** Connections that may wait to be accepted, at least 1; 128 unless set. */
        public Builder backlog(int connections) {
            if (connections < 1) {
                throw new IllegalArgumentException("a backlog is at least 1 connection, not " + connections);
            }
            backlog = connections;
            return this;
        }

        /** Shares the port with other listeners that do so too; the kernel spreads connections (LEV_OPT_REUSEABLE_PORT). */
        public Builder reusePort() {
            flags |= libevent.LEV_OPT_REUSEABLE_PORT;
            return this;
        }

        /** On ::, takes IPv6 connections alone (LEV_OPT_BIND_IPV6ONLY). */
        public Builder ipv6Only() {
            flags |= libevent.LEV_OPT_BIND_IPV6ONLY;
            return this;
        }

        /** Accepts only when there is something to read, where the kernel can (LEV_OPT_DEFERRED_ACCEPT). */
        public Builder deferredAccept() {
            flags |= libevent.LEV_OPT_DEFERRED_ACCEPT;
            return this;
        }

        /** Starts disabled (LEV_OPT_DISABLED). */
        public Builder disabled() {
            flags |= libevent.LEV_OPT_DISABLED;
            disabled = true;
            return this;
        }

        /** Hears that accepting failed; it is logged as a warning unless set. */
        public Builder onError(ErrorHandler handler) {
            errorHandler = Objects.requireNonNull(handler, "handler");
            return this;
        }

        /**
         * Listens (evconnlistener_new_bind).
         *
         * @throws IOException when the address cannot be had
         */
        public ConnectionListener bind() throws IOException {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                boolean local = address instanceof UnixDomainSocketAddress;
                String host = local ? ((UnixDomainSocketAddress) address).getPath().toString()
                    : ((InetSocketAddress) address).getAddress().getHostAddress();
                int port = local ? -1 : ((InetSocketAddress) address).getPort();
                Target target = new Target();
                long id = loop.register(target);
                long made = Native.libevent4j_listener_bind(loop.address(), host, port, flags, backlog, id);
                if (made == 0) {
                    loop.unregister(id);
                    throw new LibeventException("bind to " + address, Native.libevent4j_errno());
                }
                target.listener = new ConnectionListener(this, made, id);
                return target.listener;
            } finally {
                loop.exit();
            }
        }
    }

    /** Where it listens, with the port that it got. */
    public SocketAddress address() {
        return address;
    }

    /** Accepts again (evconnlistener_enable). */
    public void enable() {
        enter();
        try {
            enabled = true;
            resume();
        } finally {
            exit();
        }
    }

    /** Accepts no more; new connections wait in the backlog (evconnlistener_disable). */
    public void disable() {
        enter();
        try {
            enabled = false;
            resume.stop();
            libevent.evconnlistener_disable(listener);
        } finally {
            exit();
        }
    }

    private void resume() {
        if (isOpen() && enabled) {
            libevent.evconnlistener_enable(listener);
        }
    }

    private static final class Target implements Callbacks.ListenerTarget {
        private ConnectionListener listener;

        @Override
        public boolean onAccepted(long descriptor, String host, int port) throws Exception {
            if (!listener.isOpen() || !listener.base.isOpen()) { // closed by the handler of the one before
                return false;
            }
            listener.pause = FIRST_PAUSE;
            SocketAddress peer = port < 0 ? UnixDomainSocketAddress.of("") : new InetSocketAddress(InetAddress.getByName(host), port);
            Accepted connection = new Accepted(listener.base, descriptor, peer);
            try {
                listener.handler.accepted(connection);
            } catch (Throwable e) { // of which only the loop must know: the connection may be taken all the same
                listener.loop.caught(e);
            }
            connection.closed = !connection.taken;
            return connection.taken;
        }

        @Override
        public void onFailed(int errno) throws Exception {
            if (listener.isOpen()) {
                libevent.evconnlistener_disable(listener.listener);
                listener.resume.start(listener.pause);
                listener.pause = listener.pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? listener.pause.multipliedBy(2)
                    : LONGEST_PAUSE;
                listener.errorHandler.failed(new LibeventException("accept on " + listener.address, errno));
            }
        }
    }

    @Override
    protected void disarm() {
        libevent.evconnlistener_disable(listener);
    }

    @Override
    protected void release() {
        resume.close();
        libevent.evconnlistener_free(listener);
        loop.unregister(id);
    }
}
