package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.bufferevent;
import io.github.libevent4j.bindings.bufferevent_rate_limit_group;
import io.github.libevent4j.bindings.ev_token_bucket_cfg;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.BufferEvents;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongUnaryOperator;

/**
 * A socket, one end of a pair, or a filter, with an input buffer that fills and an output buffer that drains by themselves
 * (bufferevent). Writing is enabled from the start, reading by {@link #enable}.
 *
 * <p>Belongs to its base's loop, and is closed with it; closing it closes its socket, and drops what its output still holds.
 */
public final class BufferEvent extends NativeHandle {

    /** How a bufferevent behaves (enum bufferevent_options). Its socket is always closed with it. */
    public enum Option {
        /** Locks of its own. The loop's confinement makes them unnecessary; they are libevent's. */
        THREADSAFE(libevent.BEV_OPT_THREADSAFE),
        /** Run callbacks from the loop, never from inside another call. */
        DEFER_CALLBACKS(libevent.BEV_OPT_DEFER_CALLBACKS),
        /** Run callbacks without its lock held; needs DEFER_CALLBACKS. */
        UNLOCK_CALLBACKS(libevent.BEV_OPT_UNLOCK_CALLBACKS);

        private final int bit;

        Option(int bit) {
            this.bit = bit;
        }
    }

    /** A direction. */
    public enum Direction {
        /** From the other side to the input buffer. */
        READ(libevent.EV_READ),
        /** From the output buffer to the other side. */
        WRITE(libevent.EV_WRITE);

        private final int bit;

        Direction(int bit) {
            this.bit = bit;
        }
    }

    /** How {@link #flush} flushes (enum bufferevent_flush_mode). */
    public enum FlushMode {
        /** As much as usual. */
        NORMAL(libevent.BEV_NORMAL),
        /** All there is. */
        FLUSH(libevent.BEV_FLUSH),
        /** All there is, and it is the end. */
        FINISHED(libevent.BEV_FINISHED);

        private final int value;

        FlushMode(int value) {
            this.value = value;
        }
    }

    /** What happens on a bufferevent; each method does nothing unless overridden. On the loop's thread. */
    public interface Listener {
        /** There is input, at least as much as the low watermark. */
        default void onRead(BufferEvent event) throws Exception {
        }

        /** The output has drained, down to the low watermark. */
        default void onWritten(BufferEvent event) throws Exception {
        }

        /** The connection is made (BEV_EVENT_CONNECTED). */
        default void onConnected(BufferEvent event) throws Exception {
        }

        /** The other side sends no more (BEV_EVENT_EOF). */
        default void onEof(BufferEvent event) throws Exception {
        }

        /** Nothing moved in this direction for its timeout, and it is disabled now (BEV_EVENT_TIMEOUT). */
        default void onTimeout(BufferEvent event, Direction direction) throws Exception {
        }

        /** The socket or the resolver failed (BEV_EVENT_ERROR). */
        default void onError(BufferEvent event, IOException failure) throws Exception {
        }
    }

    /** Transforms bytes on their way through a filter. On the loop's thread, or inside the call that writes. */
    @FunctionalInterface
    public interface Filter {
        /** What a filter did (enum bufferevent_filter_result). */
        enum Result {
            /** Some of the source was transformed. */
            OK(libevent.BEV_OK),
            /** More of the source is needed. */
            NEED_MORE(libevent.BEV_NEED_MORE),
            /** The source cannot be transformed; the listener hears of an error. */
            ERROR(libevent.BEV_ERROR);

            private final int value;

            Result(int value) {
                this.value = value;
            }
        }

        /**
         * Takes bytes from the source and adds others to the target. Both buffers are valid during the call only.
         *
         * @param mode FLUSH and FINISHED ask for all that the filter still holds
         */
        Result filter(Buffer source, Buffer target, FlushMode mode) throws Exception;
    }

    static {
        new BufferEvents() {
            @Override
            public NativeHandle adopt(NativeHandle neighbour, LongUnaryOperator maker, Runnable free) {
                return BufferEvent.adopt(neighbour, maker, free);
            }

            @Override
            public long release(NativeHandle bufferEvent) {
                return ((BufferEvent) bufferEvent).giveAway();
            }
        };
    }

    private static final Listener SILENT = new Listener() {
    };

    private final Loop loop;
    private final bufferevent event;
    private final long id;
    private final Buffer input;
    private final Buffer output;
    private Listener listener = SILENT;
    private ev_token_bucket_cfg bucket;
    private RateLimitGroup group;
    private boolean attached; // has had something to read from and write to
    private BufferEvent underlying; // what a filter owns
    private Runnable free; // frees what this belongs to, when it is not its own

    private BufferEvent(NativeHandle neighbour, long address, long id, Buffer.Use output) {
        super(neighbour);
        this.loop = Loop.of(neighbour);
        this.id = id;
        this.event = Addresses.of(address, bufferevent::new);
        this.input = new Buffer(this, libevent.bufferevent_get_input(event).address(), Buffer.Use.INPUT);
        this.output = new Buffer(this, libevent.bufferevent_get_output(event).address(), output);
    }

    private static BufferEvent make(NativeHandle neighbour, Target target, Buffer.Use output, LongUnaryOperator maker) {
        Loop loop = Loop.of(neighbour);
        long id = loop.register(target);
        long address = maker.applyAsLong(id);
        if (address == 0) {
            loop.unregister(id);
            throw new OutOfMemoryError("bufferevent_new");
        }
        target.event = new BufferEvent(neighbour, address, id, output);
        return target.event;
    }

    private static BufferEvent adopt(NativeHandle neighbour, LongUnaryOperator maker, Runnable free) {
        BufferEvent made = make(neighbour, new Target(), Buffer.Use.OUTPUT, maker);
        made.attached = true;
        made.free = free;
        return made;
    }

    private long giveAway() {
        enter();
        try {
            dropLimits();
            transfer();
            loop.unregister(id);
            return event.address();
        } finally {
            loop.exit();
        }
    }

    private static int bits(Option... options) {
        int bits = libevent.BEV_OPT_CLOSE_ON_FREE;
        for (Option option : options) {
            bits |= option.bit;
        }
        if ((bits & libevent.BEV_OPT_UNLOCK_CALLBACKS) != 0 && (bits & libevent.BEV_OPT_DEFER_CALLBACKS) == 0) {
            throw new IllegalArgumentException("UNLOCK_CALLBACKS needs DEFER_CALLBACKS");
        }
        return bits;
    }

    /** A bufferevent without a socket, to be connected (bufferevent_socket_new). */
    public static BufferEvent create(EventBase base, Option... options) {
        return socket(base, -1, options);
    }

    /**
     * A bufferevent on a connected, non-blocking socket, which it owns from now on (bufferevent_socket_new).
     *
     * @throws IOException when the descriptor is not open
     */
    public static BufferEvent create(EventBase base, long descriptor, Option... options) throws IOException {
        Descriptors.checkRange(descriptor);
        if (Native.libevent4j_descriptor_check(descriptor) != 0) {
            throw new LibeventException("bufferevent_socket_new of descriptor " + descriptor, Native.libevent4j_errno());
        }
        return socket(base, descriptor, options);
    }

    private static BufferEvent socket(EventBase base, long descriptor, Option... options) {
        int bits = bits(options);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            BufferEvent made = make(base, new Target(), Buffer.Use.SOCKET_OUTPUT,
                id -> Native.libevent4j_bufferevent_socket(loop.address(), descriptor, bits, id));
            made.attached = descriptor >= 0;
            return made;
        } finally {
            loop.exit();
        }
    }

    /** Two bufferevents, each of which reads what the other writes (bufferevent_pair_new). */
    public static List<BufferEvent> pair(EventBase base, Option... options) {
        int bits = bits(options);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            Target partnerTarget = new Target();
            long partnerId = loop.register(partnerTarget);
            BufferEvent first;
            try {
                first = make(base, new Target(), Buffer.Use.OUTPUT,
                    id -> Native.libevent4j_bufferevent_pair(loop.address(), bits, id, partnerId));
            } catch (OutOfMemoryError e) {
                loop.unregister(partnerId);
                throw e;
            }
            first.attached = true;
            partnerTarget.event = new BufferEvent(base, libevent.bufferevent_pair_get_partner(first.event).address(), partnerId,
                Buffer.Use.OUTPUT);
            partnerTarget.event.attached = true;
            return List.of(first, partnerTarget.event);
        } finally {
            loop.exit();
        }
    }

    /**
     * A bufferevent that transforms what goes through another, which it owns from now on: the other is closed as far as its handle
     * goes (bufferevent_filter_new).
     *
     * @param input transforms what the underlying one read
     * @param output transforms what it is to write
     */
    public static BufferEvent filter(BufferEvent underlying, Filter input, Filter output, Option... options) {
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(output, "output");
        int bits = bits(options);
        underlying.enter();
        try {
            BufferEvent made = make(underlying, new FilterTarget(input, output), Buffer.Use.OUTPUT,
                id -> Native.libevent4j_bufferevent_filter(underlying.event.address(), bits, id));
            made.attached = true;
            underlying.giveTo(made);
            return made;
        } finally {
            underlying.loop.exit();
        }
    }

    private void giveTo(BufferEvent filter) {
        transfer();
        loop.unregister(id);
        filter.underlying = this;
    }

    // ---- connecting

    /**
     * Connects to an address (bufferevent_socket_connect). The listener hears onConnected, or onError.
     *
     * @param address resolved, or a {@link UnixDomainSocketAddress}
     * @throws IOException when the system refuses at once
     */
    public void connect(SocketAddress address) throws IOException {
        String host;
        int port;
        if (address instanceof UnixDomainSocketAddress local) {
            host = local.getPath().toString();
            port = -1;
        } else if (address instanceof InetSocketAddress inet) {
            if (inet.isUnresolved()) {
                throw new IllegalArgumentException(address + " is not resolved: connect by name, with a Dns");
            }
            host = inet.getAddress().getHostAddress();
            port = inet.getPort();
        } else {
            throw new IllegalArgumentException(address + " is neither an internet nor a local address");
        }
        enter();
        try {
            startConnecting();
            if (Native.libevent4j_bufferevent_connect(event.address(), host, port) != 0) {
                attached = false;
                throw new LibeventException("connect to " + address, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    /** Connects by name, with the system's resolver, which blocks the loop (bufferevent_socket_connect_hostname). */
    public void connect(String host, int port) {
        connectByName(null, host, port);
    }

    /** Connects by name (bufferevent_socket_connect_hostname). */
    public void connect(Dns dns, String host, int port) {
        connectByName(Objects.requireNonNull(dns, "dns"), host, port);
    }

    private void connectByName(Dns dns, String host, int port) {
        Objects.requireNonNull(host, "host");
        if (port < 1 || port > 0xFFFF) {
            throw new IllegalArgumentException("a port is 1 to 65535, not " + port);
        }
        enter();
        try {
            if (dns != null && Loop.of(dns) != loop) {
                throw new IllegalArgumentException("a Dns of another base cannot resolve for this one");
            }
            startConnecting();
            libevent.bufferevent_socket_connect_hostname(event, dns == null ? null : dns.raw(), 0, host, port);
        } finally {
            exit();
        }
    }

    private void startConnecting() {
        if (attached) {
            throw new IllegalStateException("this bufferevent is connected already, or has been: make a new one");
        }
        attached = true;
    }

    // ---- data

    /** What came (bufferevent_get_input). Part of this: the same each time. */
    public Buffer input() {
        return input;
    }

    /** What is to be sent (bufferevent_get_output). Part of this: the same each time. */
    public Buffer output() {
        return output;
    }

    /** Sends bytes (bufferevent_write). */
    public void write(byte... bytes) {
        output.add(bytes);
    }

    /** Sends text, as UTF-8 (bufferevent_write). */
    public void write(String text) {
        output.add(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends bytes from position to limit (bufferevent_write). */
    public void write(ByteBuffer bytes) {
        output.add(bytes);
    }

    /** Sends all that a buffer holds, without copying it (bufferevent_write_buffer). */
    public void write(Buffer bytes) {
        output.addBuffer(bytes);
    }

    /** Who hears what happens; replaces the listener before (bufferevent_setcb). */
    public void listener(Listener listener) {
        Objects.requireNonNull(listener, "listener");
        enter();
        try {
            this.listener = listener;
        } finally {
            exit();
        }
    }

    // ---- settings

    /** Lets bytes move in these directions (bufferevent_enable). */
    public void enable(Direction... directions) {
        enter();
        try {
            libevent.bufferevent_enable(event, directionBits(directions));
        } finally {
            exit();
        }
    }

    /** Stops bytes in these directions (bufferevent_disable). */
    public void disable(Direction... directions) {
        enter();
        try {
            libevent.bufferevent_disable(event, directionBits(directions));
        } finally {
            exit();
        }
    }

    /** The directions that are enabled (bufferevent_get_enabled). */
    public Set<Direction> enabled() {
        enter();
        try {
            int bits = libevent.bufferevent_get_enabled(event);
            Set<Direction> enabled = EnumSet.noneOf(Direction.class);
            for (Direction direction : Direction.values()) {
                if ((bits & direction.bit) != 0) {
                    enabled.add(direction);
                }
            }
            return enabled;
        } finally {
            exit();
        }
    }

    private static short directionBits(Direction... directions) {
        int bits = 0;
        for (Direction direction : directions) {
            bits |= direction.bit;
        }
        return (short) bits;
    }

    /**
     * When to call, and when to wait (bufferevent_setwatermark). For READ: the listener is called from {@code low} bytes of input
     * on, and reading pauses at {@code high}. For WRITE: the listener is called when the output is down to {@code low}.
     *
     * @param high 0 for no limit
     */
    public void watermark(Direction direction, long low, long high) {
        if (low < 0 || high < 0 || high > 0 && high < low) {
            throw new IllegalArgumentException("watermarks are not negative, and the high one is not below the low one: " + low
                + ", " + high);
        }
        enter();
        try {
            libevent.bufferevent_setwatermark(event, (short) direction.bit, low, high);
        } finally {
            exit();
        }
    }

    /** How long nothing may move in an enabled direction before onTimeout; zero for ever (bufferevent_set_timeouts). */
    public void timeouts(Duration read, Duration write) {
        long readMicros = Micros.of(read, "the read timeout");
        long writeMicros = Micros.of(write, "the write timeout");
        enter();
        try {
            Native.libevent4j_bufferevent_set_timeouts(event.address(), readMicros, writeMicros);
        } finally {
            exit();
        }
    }

    /** How urgent its callbacks are, 0 being the most (bufferevent_priority_set). Sockets only. */
    public void priority(int priority) {
        enter();
        try {
            if (priority < 0 || priority >= loop.priorities()) {
                throw new IllegalArgumentException("this base has the priorities 0 to " + (loop.priorities() - 1) + ", not "
                    + priority);
            }
            if (libevent.bufferevent_priority_set(event, priority) != 0) {
                throw new IllegalStateException("the priority cannot change: this is no socket, or a callback is due");
            }
        } finally {
            exit();
        }
    }

    /** Moves what filters and pairs hold back (bufferevent_flush). Does nothing for sockets. */
    public void flush(FlushMode mode, Direction... directions) {
        enter();
        try {
            libevent.bufferevent_flush(event, directionBits(directions), mode.value);
        } finally {
            exit();
        }
    }

    /** Calls the listener as if there were input, or the output had drained, whatever the watermarks (bufferevent_trigger). */
    public void trigger(Direction... directions) {
        enter();
        try {
            libevent.bufferevent_trigger(event, directionBits(directions), libevent.BEV_TRIG_IGNORE_WATERMARKS
                | libevent.BEV_TRIG_DEFER_CALLBACKS);
        } finally {
            exit();
        }
    }

    /** The socket's descriptor, or -1 (bufferevent_getfd). It stays this one's. */
    public long descriptor() {
        enter();
        try {
            return libevent.bufferevent_getfd(event);
        } finally {
            exit();
        }
    }

    // ---- rate limits

    /** Limits this one alone, or, with null, no longer (bufferevent_set_rate_limit). */
    public void rateLimit(RateLimit limit) {
        enter();
        try {
            ev_token_bucket_cfg before = bucket;
            ev_token_bucket_cfg now = limit == null ? null : bucket(limit);
            if (libevent.bufferevent_set_rate_limit(event, now) != 0) {
                if (now != null) {
                    libevent.ev_token_bucket_cfg_free(now);
                }
                throw new IllegalStateException("only sockets can be limited, and not all of them: " + this);
            }
            bucket = now; // libevent only points at it
            if (before != null) {
                libevent.ev_token_bucket_cfg_free(before);
            }
        } finally {
            exit();
        }
    }

    /** Bytes that may be read before the next tick, {@link RateLimit#UNLIMITED} without a limit (bufferevent_get_read_limit). */
    public long readLimit() {
        enter();
        try {
            return libevent.bufferevent_get_read_limit(event);
        } finally {
            exit();
        }
    }

    /** Bytes that may be written before the next tick (bufferevent_get_write_limit). */
    public long writeLimit() {
        enter();
        try {
            return libevent.bufferevent_get_write_limit(event);
        } finally {
            exit();
        }
    }

    static ev_token_bucket_cfg bucket(RateLimit limit) {
        long bucket = Native.libevent4j_token_bucket(limit.readRate(), limit.readBurst(), limit.writeRate(), limit.writeBurst(),
            Micros.of(limit.tick(), "a tick"));
        if (bucket == 0) {
            throw new IllegalArgumentException("libevent does not take " + limit);
        }
        return Addresses.of(bucket, ev_token_bucket_cfg::new);
    }

    void join(RateLimitGroup joined, bufferevent_rate_limit_group raw) {
        ensureOpen();
        if (group != null) {
            leave();
        }
        if (libevent.bufferevent_add_to_rate_limit_group(event, raw) != 0) {
            throw new IllegalStateException("only sockets can be limited: " + this);
        }
        group = joined;
    }

    void leave() {
        libevent.bufferevent_remove_from_rate_limit_group(event);
        group.left(this);
        group = null;
    }

    // ---- callbacks

    private static class Target implements Callbacks.BufferEventTarget {
        BufferEvent event;

        private boolean deaf() {
            return event == null || !event.isOpen();
        }

        @Override
        public void onRead() throws Exception {
            if (!deaf()) {
                event.listener.onRead(event);
            }
        }

        @Override
        public void onWritten() throws Exception {
            if (!deaf()) {
                event.listener.onWritten(event);
            }
        }

        @Override
        public void onEvent(int what, int errno, int resolverError) throws Exception {
            if (deaf()) {
                return;
            }
            Listener listener = event.listener;
            if ((what & libevent.BEV_EVENT_CONNECTED) != 0) {
                listener.onConnected(event);
            } else if ((what & libevent.BEV_EVENT_TIMEOUT) != 0) {
                listener.onTimeout(event, (what & libevent.BEV_EVENT_READING) != 0 ? Direction.READ : Direction.WRITE);
            } else if ((what & libevent.BEV_EVENT_ERROR) != 0) {
                listener.onError(event, resolverError == 0 ? new LibeventException("bufferevent", errno)
                    : new UnknownHostException(libevent.evutil_gai_strerror(resolverError).getString()));
            } else if ((what & libevent.BEV_EVENT_EOF) != 0) {
                listener.onEof(event);
            }
        }
    }

    private static final class FilterTarget extends Target implements Callbacks.FilterTarget {
        private final Filter input;
        private final Filter output;

        FilterTarget(Filter input, Filter output) {
            this.input = input;
            this.output = output;
        }

        @Override
        public int onFilter(long source, long target, long limit, int mode, boolean output) throws Exception {
            if (event == null || !event.isOpen()) {
                return libevent.BEV_ERROR;
            }
            Buffer from = new Buffer(event, source, Buffer.Use.INPUT);
            Buffer to = new Buffer(event, target, Buffer.Use.OUTPUT);
            try {
                return (output ? this.output : this.input).filter(from, to, FlushMode.values()[mode]).value;
            } finally {
                from.close();
                to.close();
            }
        }

        @Override
        public void onFreed() {
            event.loop.unregister(event.id);
        }
    }

    /** Takes the limits off, of this one and of what it owns. Libevent points at them until a later turn. */
    private void dropLimits() {
        if (group != null) {
            leave();
        }
        if (bucket != null) {
            libevent.bufferevent_set_rate_limit(event, null);
            libevent.ev_token_bucket_cfg_free(bucket);
            bucket = null;
        }
        if (underlying != null) {
            underlying.dropLimits();
        }
    }

    @Override
    protected void release() {
        dropLimits();
        if (free == null) {
            libevent.bufferevent_free(event);
        } else {
            free.run();
        }
        if (underlying == null) {
            loop.unregister(id); // a filter's callbacks go on to its freed callback
        }
    }
}
