package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.evconnlistener;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
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
    private static final int FOR_NEW_SOCKETS =
        libevent.LEV_OPT_REUSEABLE_PORT | libevent.LEV_OPT_BIND_IPV6ONLY | libevent.LEV_OPT_DEFERRED_ACCEPT;

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

        /** The other side's address; of a local socket one without a path. Any thread, at any time. */
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

        /** The connection's non-blocking socket, which the caller owns from now on, whatever is closed. */
        public long take() {
            ensureOpen();
            taken = true;
            return descriptor;
        }

        private void ensureOpen() {
            if (!Loop.of(base).held()) {
                throw Loop.of(base).wrongThread("take it in its handler");
            }
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
    private Handler handler;
    private ErrorHandler errorHandler;
    private final Timer resume;
    private Duration pause = FIRST_PAUSE;
    private boolean enabled;

    private ConnectionListener(Builder builder, SocketAddress address, long listener, Target target) {
        super(builder.base);
        this.base = builder.base;
        this.loop = Loop.of(base);
        this.listener = Addresses.of(listener, evconnlistener::new);
        this.id = target.id;
        this.resume = target.resume;
        this.handler = builder.handler;
        this.errorHandler = builder.errorHandler;
        this.enabled = !builder.disabled;
        this.address = address;
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

    /**
     * Accepts on a channel that listens already. It stays the caller's, who may close it: the listener has a descriptor of its own.
     * The channel becomes non-blocking.
     */
    public static Builder newBuilder(EventBase base, ServerSocketChannel channel, Handler handler) {
        return new Builder(base, channel, handler);
    }

    /**
     * Accepts on a stream socket that is bound, such as one that was inherited. The listener owns the descriptor from {@link Builder#bind}
     * on, and makes it non-blocking.
     */
    public static Builder newBuilder(EventBase base, long descriptor, Handler handler) {
        Descriptors.checkRange(descriptor);
        return new Builder(base, descriptor, handler);
    }

    /** How to listen. Not thread-safe. */
    public static final class Builder {
        private final EventBase base;
        private final SocketAddress address;
        private final Handler handler;
        private ServerSocketChannel channel; // which listens already
        private long descriptor = -1; // which is bound already
        private ErrorHandler errorHandler = failure -> LOGGER.log(System.Logger.Level.WARNING, failure.getMessage());
        private int backlog = 128;
        private int flags = libevent.LEV_OPT_CLOSE_ON_FREE | libevent.LEV_OPT_CLOSE_ON_EXEC;
        private boolean disabled;

        private Builder(EventBase base, ServerSocketChannel channel, Handler handler) {
            this.base = Objects.requireNonNull(base, "base");
            this.handler = Objects.requireNonNull(handler, "handler");
            this.address = null;
            this.channel = Objects.requireNonNull(channel, "channel");
        }

        private Builder(EventBase base, long descriptor, Handler handler) {
            this.base = Objects.requireNonNull(base, "base");
            this.handler = Objects.requireNonNull(handler, "handler");
            this.address = null;
            this.descriptor = descriptor;
        }

        private Builder(EventBase base, SocketAddress address, Handler handler) {
            this.base = Objects.requireNonNull(base, "base");
            this.handler = Objects.requireNonNull(handler, "handler");
            this.address = Objects.requireNonNull(address, "address");
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
         * Listens (evconnlistener_new_bind, or evconnlistener_new on a socket that there is already).
         *
         * @throws IllegalStateException when an option is for new sockets alone, or the channel is not bound
         * @throws IOException when the address cannot be had; a descriptor that cannot listen stays the caller's
         */
        public ConnectionListener bind() throws IOException {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                Target target = new Target();
                target.resume = Timer.create(base, () -> target.listener.resume()); // which another thread's close of the base refuses
                target.id = loop.register(target);
                try {
                    target.listener = address != null ? bind(loop, target) : listen(loop, target);
                } finally {
                    if (target.listener == null) {
                        loop.unregister(target.id);
                        target.resume.close();
                    }
                }
                return target.listener;
            } finally {
                loop.exit();
            }
        }

        private ConnectionListener bind(Loop loop, Target target) throws IOException {
            boolean local = address instanceof UnixDomainSocketAddress;
            String host = local ? ((UnixDomainSocketAddress) address).getPath().toString()
                : ((InetSocketAddress) address).getAddress().getHostAddress();
            int port = local ? -1 : ((InetSocketAddress) address).getPort();
            long made = Native.libevent4j_listener_bind(loop.address(), host, port, flags, backlog, target.id);
            if (made == 0) {
                throw new LibeventException("bind to " + address, Native.libevent4j_errno());
            }
            return new ConnectionListener(this, local ? address : boundTo(made, ((InetSocketAddress) address).getAddress()), made, target);
        }

        private ConnectionListener listen(Loop loop, Target target) throws IOException {
            if ((flags & FOR_NEW_SOCKETS) != 0) {
                throw new IllegalStateException("this socket is bound already: reusePort, ipv6Only and deferredAccept are for new ones");
            }
            SocketAddress bound = channel == null ? null : channel.getLocalAddress();
            if (channel != null && bound == null) {
                throw new IllegalStateException("the channel does not listen yet: bind it first");
            }
            long socket = channel == null ? descriptor : Descriptors.duplicate(channel);
            long made = socket < 0 ? 0 : Native.libevent4j_listener_new(loop.address(), socket, flags, backlog, target.id);
            if (made == 0) {
                int errno = Native.libevent4j_errno();
                if (channel != null && socket >= 0) {
                    Native.libevent4j_descriptor_close(socket);
                }
                throw new LibeventException("listen on " + (channel == null ? "descriptor " + descriptor : bound), errno);
            }
            if (channel != null) {
                channel.configureBlocking(false);
                return new ConnectionListener(this, bound, made, target);
            }
            String host = (String) Native.libevent4j_listener_host(descriptor);
            return new ConnectionListener(this, host.isEmpty() ? UnixDomainSocketAddress.of("")
                : boundTo(made, InetAddress.getByName(host)), made, target);
        }

        private static SocketAddress boundTo(long listener, InetAddress address) {
            return new InetSocketAddress(address,
                Native.libevent4j_local_port(libevent.evconnlistener_get_fd(Addresses.of(listener, evconnlistener::new))));
        }
    }

    /**
     * Where it listens, or did, with the port that it got; of a local socket that was given as a descriptor one without a path. Any
     * thread.
     */
    public SocketAddress address() {
        return address;
    }

    /** The base that it lives on, or did (evconnlistener_get_base). Any thread. */
    public EventBase base() {
        return base;
    }

    /** The socket's descriptor (evconnlistener_get_fd). It stays this one's. */
    public long descriptor() {
        enter();
        try {
            return libevent.evconnlistener_get_fd(listener);
        } finally {
            exit();
        }
    }

    /** Who takes connections from now on, instead of the handler before (evconnlistener_set_cb). */
    public void handler(Handler handler) {
        Objects.requireNonNull(handler, "handler");
        enter();
        try {
            this.handler = handler;
        } finally {
            exit();
        }
    }

    /** Who hears from now on that accepting failed, instead of the handler before (evconnlistener_set_error_cb). */
    public void onError(ErrorHandler handler) {
        Objects.requireNonNull(handler, "handler");
        enter();
        try {
            errorHandler = handler;
        } finally {
            exit();
        }
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
        private Timer resume;
        private long id;
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
