package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.bufferevent;
import io.github.libevent4j.bindings.bufferevent_rate_limit_group;
import io.github.libevent4j.bindings.ev_token_bucket_cfg;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Arguments;
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
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * A socket, one end of a pair, or a filter, with an input buffer that fills and an output buffer that drains by themselves
 * (bufferevent). Writing is enabled from the start, reading by {@link #enable}.
 *
 * <p>Belongs to its base's loop, and is closed with it; closing it closes its socket, and drops what its output still holds.
 */
public final class BufferEvent extends NativeHandle {

    /**
     * How a bufferevent behaves (enum bufferevent_options). Its socket is always closed with it, and it has no locks: its loop's thread
     * alone may use it.
     */
    public enum Option {
        /** Run callbacks from the loop, never from inside another call. */
        DEFER_CALLBACKS(libevent.BEV_OPT_DEFER_CALLBACKS),
        /** Run callbacks without the lock that it does not have: as in libevent, needs DEFER_CALLBACKS. */
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

    /** Where {@link #watermark(Direction, long, long) watermarks} are; a high one of 0 is none. */
    public record Watermark(long low, long high) {
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
            /** The source cannot be transformed; nothing moves in this direction any more, and the listener hears of an error. */
            ERROR(libevent.BEV_ERROR);

            private final int value;

            Result(int value) {
                this.value = value;
            }
        }

        /** Passes everything on as it is. */
        Filter NONE = (source, target, limit, mode) -> {
            target.addBuffer(source, limit < 0 ? Integer.MAX_VALUE : (int) Math.min(limit, Integer.MAX_VALUE));
            return Result.OK;
        };

        /**
         * Takes bytes from the source's start and adds others to the target's end. What it throws goes to the base's handler, and
         * counts as ERROR.
         *
         * @param limit the most bytes to add for now, so that the target does not pass its high watermark; -1 for any number
         * @param mode FLUSH and FINISHED ask for all that the filter still holds
         */
        Result filter(Buffer source, Buffer target, long limit, FlushMode mode) throws Exception;
    }

    static {
        new BufferEvents() {
            @Override
            public NativeHandle adopt(NativeHandle neighbour, LongUnaryOperator maker, Runnable free) {
                return BufferEvent.adopt(neighbour, maker, free);
            }

            @Override
            public long give(NativeHandle bufferEvent) {
                return ((BufferEvent) bufferEvent).give();
            }

            @Override
            public NativeHandle buffer(NativeHandle neighbour, long address) {
                return Buffer.own(neighbour, address);
            }

            @Override
            public void remove(NativeHandle neighbour, NativeHandle buffer, LongConsumer operation) {
                ((Buffer) buffer).remove(neighbour, operation);
            }

            @Override
            public long release(NativeHandle bufferEvent) {
                return ((BufferEvent) bufferEvent).giveAway();
            }
        };
    }

    private static final String UNKNOWN_PEER = "its peer";

    private static final Listener SILENT = new Listener() {
    };

    private final Loop loop;
    private final bufferevent event;
    private final long id;
    private final Buffer input;
    private final Buffer output;
    private Listener listener = SILENT;
    private ev_token_bucket_cfg bucket;
    private RateLimit limit; // the bucket's
    private RateLimitGroup group;
    private final Kind kind;
    private long highWatermark; // of the input
    private boolean attached; // has something to read from and write to, or will have
    private boolean connected;
    private String peer = UNKNOWN_PEER; // for messages
    private boolean connecting; // now, in a call
    private boolean tellingOfConnection; // now, with libevent about to write
    private Buffer.Subscription ending; // waits for the output to drain
    private boolean given; // to something native that goes on when this handle is closed
    private CompletableFuture<List<InetSocketAddress>> lookup; // of the peer's name
    private final Queue<InetSocketAddress> untried = new ArrayDeque<>(); // of its addresses
    private short enabledToConnect;
    private BufferEvent partner; // of a pair
    private BufferEvent underlying; // what a filter owns
    private BufferEvent filter; // which owns this
    private IOException filterFailure; // which the listener is going to hear of
    private Runnable free; // frees what this belongs to, when it is not its own

    private enum Kind {
        SOCKET,
        PAIR,
        FILTER
    }

    private BufferEvent(NativeHandle neighbour, Kind kind, long address, long id, Buffer.Use output) {
        super(neighbour);
        this.loop = Loop.of(neighbour);
        this.kind = kind;
        this.id = id;
        this.event = Addresses.of(address, bufferevent::new);
        this.input = new Buffer(this, libevent.bufferevent_get_input(event).address(), Buffer.Use.INPUT);
        this.output = new Buffer(this, libevent.bufferevent_get_output(event).address(), output);
    }

    private static BufferEvent make(NativeHandle neighbour, Kind kind, Target target, Buffer.Use output, LongUnaryOperator maker) {
        Loop loop = Loop.of(neighbour);
        long id = loop.register(target);
        long address = maker.applyAsLong(id);
        if (address == 0) {
            loop.unregister(id);
            throw new OutOfMemoryError("bufferevent_new");
        }
        target.event = new BufferEvent(neighbour, kind, address, id, output);
        return target.event;
    }

    private static BufferEvent adopt(NativeHandle neighbour, LongUnaryOperator maker, Runnable free) {
        BufferEvent made = make(neighbour, Kind.SOCKET, new Target(), Buffer.Use.OUTPUT, maker);
        made.attached = true;
        made.connected = true;
        made.free = free;
        return made;
    }

    private long give() {
        enter();
        try {
            ensureOwn();
            if (last().attached || last().free != null) {
                throw new IllegalStateException("only a new bufferevent, without a socket, can be given to a server");
            }
            return giveAway();
        } finally {
            loop.exit();
        }
    }

    /** With the loop held; perhaps after a close() that comes too late. */
    private long giveAway() {
        dropLimits();
        dropSubscriptions();
        given = true;
        transfer();
        if (kind != Kind.FILTER) { // whose callbacks go on
            loop.unregister(id);
        }
        return event.address();
    }

    private void ensureOwn() {
        if (given) {
            throw new IllegalStateException("this bufferevent belongs to a filter");
        }
    }

    private static int bits(Option... options) {
        int bits = libevent.BEV_OPT_CLOSE_ON_FREE;
        for (Option option : Arguments.noNulls(options, "options")) {
            bits |= option.bit;
        }
        if ((bits & libevent.BEV_OPT_UNLOCK_CALLBACKS) != 0 && (bits & libevent.BEV_OPT_DEFER_CALLBACKS) == 0) {
            throw new IllegalArgumentException("UNLOCK_CALLBACKS needs DEFER_CALLBACKS");
        }
        return bits;
    }

    /** The base that it lives on, or did (bufferevent_get_base). Any thread. */
    public EventBase base() {
        return (EventBase) loop.handle();
    }

    /** A bufferevent without a socket, to be connected (bufferevent_socket_new). */
    public static BufferEvent create(EventBase base, Option... options) {
        return socket(base, -1, options);
    }

    /**
     * A bufferevent on a connected socket, or on a pipe or terminal. It owns the descriptor from now on, and makes it non-blocking
     * (bufferevent_socket_new).
     *
     * @throws IOException when the descriptor is not open, or is a file's, which epoll cannot wait for; it stays the caller's then
     */
    public static BufferEvent create(EventBase base, long descriptor, Option... options) throws IOException {
        Descriptors.checkRange(descriptor);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            if (Native.libevent4j_bufferevent_prepare(loop.address(), descriptor) != 0) {
                throw new LibeventException("bufferevent_socket_new of descriptor " + descriptor, Native.libevent4j_errno());
            }
            return socket(base, descriptor, options);
        } finally {
            loop.exit();
        }
    }

    private static BufferEvent socket(EventBase base, long descriptor, Option... options) {
        int bits = bits(options);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            BufferEvent made = make(base, Kind.SOCKET, new Target(), Buffer.Use.SOCKET_OUTPUT,
                id -> Native.libevent4j_bufferevent_socket(loop.address(), descriptor, bits, id));
            made.attached = descriptor >= 0;
            made.connected = descriptor >= 0;
            return made;
        } finally {
            loop.exit();
        }
    }

    /**
     * Two bufferevents, each of which reads what the other writes (bufferevent_pair_new). Their callbacks are always deferred. When one
     * is closed, the other does not hear of it: {@link #flush flush} with FINISHED tells it that this is the end.
     */
    public static List<BufferEvent> pair(EventBase base, Option... options) {
        int bits = bits(options);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            Target partnerTarget = new Target();
            long partnerId = loop.register(partnerTarget);
            BufferEvent first;
            try {
                first = make(base, Kind.PAIR, new Target(), Buffer.Use.OUTPUT,
                    id -> Native.libevent4j_bufferevent_pair(loop.address(), bits, id, partnerId));
            } catch (OutOfMemoryError e) {
                loop.unregister(partnerId);
                throw e;
            }
            long partner = libevent.bufferevent_pair_get_partner(first.event).address();
            partnerTarget.event = new BufferEvent(base, Kind.PAIR, partner, partnerId, Buffer.Use.OUTPUT);
            first.partner = partnerTarget.event;
            partnerTarget.event.partner = first;
            for (BufferEvent each : List.of(first, partnerTarget.event)) {
                each.attached = true;
                each.connected = true;
            }
            return List.of(first, partnerTarget.event);
        } finally {
            loop.exit();
        }
    }

    /**
     * A bufferevent that transforms what goes through another (bufferevent_filter_new). The other is a part of it from now on, open
     * for as long as it is: closing it does nothing, and the filter's listener hears what happens to it.
     *
     * @param input transforms what the underlying one read
     * @param output transforms what it is to write
     */
    public static BufferEvent filter(BufferEvent underlying, Filter input, Filter output, Option... options) {
        Objects.requireNonNull(underlying, "underlying");
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(output, "output");
        int bits = bits(options);
        underlying.enter();
        try {
            underlying.ensureOwn();
            if (underlying.free != null) {
                throw new IllegalStateException("this bufferevent belongs to a connection, which a filter cannot own");
            }
            FilterTarget target = new FilterTarget(input, output);
            BufferEvent made = make(underlying, Kind.FILTER, target, Buffer.Use.OUTPUT,
                id -> Native.libevent4j_bufferevent_filter(underlying.event.address(), bits, id));
            target.connect(underlying);
            made.attached = true;
            made.underlying = underlying;
            underlying.filter = made;
            underlying.given = true;
            underlying.transferTo(made);
            if (underlying.kind != Kind.FILTER) { // whose callbacks go on
                underlying.loop.unregister(underlying.id);
            }
            return made;
        } finally {
            underlying.loop.exit();
        }
    }

    /** The other one of a pair while that is open, or nothing (bufferevent_pair_get_partner). Any thread. */
    public Optional<BufferEvent> partner() {
        return Optional.ofNullable(partner).filter(BufferEvent::isOpen);
    }

    /** What a filter transforms for, or nothing (bufferevent_get_underlying). Any thread. */
    public Optional<BufferEvent> underlying() {
        return Optional.ofNullable(underlying);
    }

    // ---- connecting

    /**
     * Connects to an address (bufferevent_socket_connect). The listener hears onConnected, or onError; not before this returns.
     *
     * @param address resolved, or a {@link UnixDomainSocketAddress}
     * @throws IOException when the system refuses at once; the listener hears nothing then, and another address can be tried
     */
    public void connect(SocketAddress address) throws IOException {
        Objects.requireNonNull(address, "address");
        String host;
        int port;
        if (address instanceof UnixDomainSocketAddress local && !local.getPath().toString().isEmpty()) {
            host = local.getPath().toString();
            port = -1;
        } else if (address instanceof InetSocketAddress inet) {
            if (inet.isUnresolved()) {
                throw new IllegalArgumentException(address + " is not resolved: connect by name, with a Dns");
            }
            host = inet.getAddress().getHostAddress();
            port = inet.getPort();
        } else {
            throw new IllegalArgumentException(address + " is neither an internet address nor the path of a local one");
        }
        startConnecting(address.toString());
        try {
            if (Native.libevent4j_bufferevent_connect(event.address(), host, port) != 0) {
                attached = false;
                throw new LibeventException("connect to " + address, Native.libevent4j_errno());
            }
        } finally {
            connecting = false;
            exit();
        }
    }

    /**
     * Connects by name, with the system's resolver, which blocks the loop (bufferevent_socket_connect_hostname). The listener hears
     * onConnected, or onError; not before this returns.
     */
    public void connect(String host, int port) {
        checkName(host, port);
        startConnecting(host + ":" + port);
        try {
            libevent.bufferevent_socket_connect_hostname(event, null, 0, host, port);
        } finally {
            connecting = false;
            exit();
        }
    }

    /**
     * Connects by name, to the first of its addresses that accepts. The listener hears onConnected, or onError of the last one; not
     * before this returns. (Bufferevent_socket_connect_hostname tries the first alone, and its lookup outlives the bufferevent.)
     */
    public void connect(Dns dns, String host, int port) {
        Objects.requireNonNull(dns, "dns");
        checkName(host, port);
        if (Loop.of(dns) != loop) {
            throw new IllegalArgumentException("a Dns of another base cannot resolve for this one");
        }
        if (!dns.isOpen()) {
            throw new IllegalStateException(dns + " is closed");
        }
        startConnecting(host + ":" + port);
        try {
            lookup = dns.lookup(host, port, Dns.Family.ANY);
            lookup.whenComplete((addresses, failure) -> {
                if (isOpen()) {
                    resolved(addresses, failure);
                }
            });
        } catch (IllegalArgumentException | IllegalStateException e) { // nothing was asked
            attached = false;
            throw e;
        } finally {
            connecting = false;
            exit();
        }
    }

    private void resolved(List<InetSocketAddress> addresses, Throwable unresolved) {
        if (unresolved != null) {
            fail((IOException) new UnknownHostException(unresolved.getMessage()).initCause(unresolved));
            return;
        }
        untried.addAll(addresses);
        if (!connectNext()) {
            fail(new LibeventException("connect to " + peer, Native.libevent4j_errno()));
        }
    }

    /** Connects to the next address of a name that does not fail at once; false when there is none left. */
    private boolean connectNext() {
        while (!untried.isEmpty()) {
            InetSocketAddress address = untried.remove();
            enabledToConnect |= libevent.bufferevent_get_enabled(event);
            libevent.bufferevent_enable(event, enabledToConnect); // a refusal disables
            if (Native.libevent4j_bufferevent_connect(event.address(), address.getAddress().getHostAddress(), address.getPort()) == 0) {
                return true;
            }
        }
        return false;
    }

    /** Tells the listener on a later turn. */
    private void fail(IOException failure) {
        loop.execute(() -> {
            BufferEvent first = first();
            try {
                if (first.isOpen()) {
                    first.listener.onError(first, failure);
                }
            } catch (Exception e) {
                loop.caught(e);
            }
        });
    }

    private static void checkName(String host, int port) {
        if (Objects.requireNonNull(host, "host").isEmpty() || host.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("this is no host's name: '" + host + "'");
        }
        if (port < 1 || port > 0xFFFF) {
            throw new IllegalArgumentException("a port is 1 to 65535, not " + port);
        }
    }

    private void ensureUnattached() {
        if (attached) {
            throw new IllegalStateException("this bufferevent is connected already, or has been: make a new one");
        }
    }

    /** Holds the loop. */
    private void startConnecting(String to) {
        enter();
        try {
            ensureUnattached();
        } catch (IllegalStateException e) {
            exit();
            throw e;
        }
        attached = true;
        connecting = true;
        peer = to;
    }

    /**
     * Gives it a connected socket, or a pipe or terminal, instead of connecting it (bufferevent_setfd). It owns the descriptor from now
     * on, and makes it non-blocking.
     *
     * @throws IllegalStateException when it is connected, or has been and was not detached
     * @throws IOException as for {@link #create(EventBase, long, Option...)}; it stays the caller's then
     */
    public void attach(long descriptor) throws IOException {
        Descriptors.checkRange(descriptor);
        enter();
        try {
            ensureUnattached();
            if (Native.libevent4j_bufferevent_prepare(loop.address(), descriptor) != 0) {
                throw new LibeventException("bufferevent_setfd of descriptor " + descriptor, Native.libevent4j_errno());
            }
            setDescriptor(descriptor);
            attached = true;
            connected = true;
        } finally {
            exit();
        }
    }

    /**
     * Takes the socket away (bufferevent_setfd with -1). What was read stays in the input; what the output still holds is not sent,
     * unless this is {@linkplain #attach attached} or connected again.
     *
     * @return the connection's non-blocking socket, which the caller owns from now on
     * @throws IllegalStateException when it has no connected socket of its own, or in onConnected while the output holds something,
     *     which libevent sends right after
     */
    public long detach() {
        enter();
        try {
            ensureOwn();
            if (kind != Kind.SOCKET || free != null || !connected) {
                throw new IllegalStateException("this bufferevent has no connected socket of its own");
            }
            if (tellingOfConnection && output.length() > 0) {
                throw new IllegalStateException("libevent is about to send what the output holds: detach later, with execute()");
            }
            if (ending != null) {
                ending.close();
                ending = null;
            }
            long descriptor = libevent.bufferevent_getfd(event);
            setDescriptor(-1);
            attached = false;
            connected = false;
            peer = UNKNOWN_PEER;
            return descriptor;
        } finally {
            exit();
        }
    }

    private void setDescriptor(long descriptor) {
        Native.libevent4j_bufferevent_set_descriptor(event.address(), descriptor);
    }

    /**
     * Ends what this socket sends, as soon as its output is sent; reading goes on. (Libevent has no function for this: its programs
     * call shutdown.) What is written later cannot be sent.
     *
     * @throws IllegalStateException when this is no socket: pairs and filters have {@link #flush flush} with FINISHED
     */
    public void shutdownOutput() {
        enter();
        try {
            if (kind != Kind.SOCKET || !attached) {
                throw new IllegalStateException("only a connected socket's output can be shut down");
            }
            if (ending == null) {
                ending = output.onChange((before, added, deleted) -> endWhenSent());
                endWhenSent();
            }
        } finally {
            exit();
        }
    }

    private void endWhenSent() {
        if (connected && output.length() == 0) {
            ending.close();
            Native.libevent4j_descriptor_shut_down(libevent.bufferevent_getfd(event)); // a peer that is gone needs no end
        }
    }

    private void connected() {
        connected = true;
        if (ending != null) {
            endWhenSent();
        }
        if (underlying != null) {
            underlying.connected();
        }
    }

    /** The one with a listener: the first of the filters. */
    private BufferEvent first() {
        return filter == null ? this : filter.first();
    }

    /** The one that connects, and reads and writes: the last of those that filters are for. */
    private BufferEvent last() {
        return underlying == null ? this : underlying.last();
    }

    // ---- data

    /** What came (bufferevent_get_input). Part of this: the same each time, and open as long. Any
     * thread. */
    public Buffer input() {
        return input;
    }

    /** What is to be sent (bufferevent_get_output). Part of this: the same each time, and open as long. Any
     * thread. */
    public Buffer output() {
        return output;
    }

    /** Sends bytes (bufferevent_write). */
    public void write(byte... bytes) {
        output.add(bytes);
    }

    /** Sends text, as UTF-8 (bufferevent_write). */
    public void write(String text) {
        output.add(text);
    }

    /** Sends bytes from position to limit (bufferevent_write). */
    public void write(ByteBuffer bytes) {
        output.add(bytes);
    }

    /** Sends all that a buffer holds, without copying it (bufferevent_write_buffer). */
    public void write(Buffer bytes) {
        output.addBuffer(Objects.requireNonNull(bytes, "bytes"));
    }

    /** Takes bytes of the input, up to the target's limit; how many (bufferevent_read). */
    public int read(ByteBuffer target) {
        return input.remove(target);
    }

    /** Moves all of the input to a buffer's end, without copying it (bufferevent_read_buffer). */
    public void read(Buffer target) {
        Objects.requireNonNull(target, "target").addBuffer(input);
    }

    /** Who hears what happens; replaces the listener before (bufferevent_setcb). */
    public void listener(Listener listener) {
        Objects.requireNonNull(listener, "listener");
        enter();
        try {
            ensureOwn();
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
        for (Direction direction : Arguments.noNulls(directions, "directions")) {
            bits |= direction.bit;
        }
        return (short) bits;
    }

    /**
     * When to call, and when to wait (bufferevent_setwatermark). For READ: the listener is called from {@code low} bytes of input
     * on; reading pauses at {@code high}, and the listener is called again and again until it has removed some. For WRITE: the
     * listener is called when the output is down to {@code low}; a filter pauses when its underlying one's has reached {@code high}.
     *
     * @param high 0 for no limit
     */
    public void watermark(Direction direction, long low, long high) {
        Objects.requireNonNull(direction, "direction");
        if (low < 0 || high < 0 || high > 0 && high < low) {
            throw new IllegalArgumentException("watermarks are not negative, and the high one is not below the low one: " + low
                + ", " + high);
        }
        enter();
        try {
            libevent.bufferevent_setwatermark(event, (short) direction.bit, low, high);
            if (direction == Direction.READ) {
                highWatermark = high;
            }
        } finally {
            exit();
        }
    }

    /** The watermarks of one direction (bufferevent_getwatermark). */
    public Watermark watermark(Direction direction) {
        Objects.requireNonNull(direction, "direction");
        enter();
        try (SizeTPointer low = new SizeTPointer(1); SizeTPointer high = new SizeTPointer(1)) {
            libevent.bufferevent_getwatermark(event, (short) direction.bit, low, high);
            return new Watermark(low.get(), high.get());
        } finally {
            exit();
        }
    }

    /** How long nothing may move in an enabled direction before onTimeout; zero for ever (bufferevent_set_timeouts). */
    public void timeouts(Duration read, Duration write) {
        long readMicros = Micros.of(read, "read");
        long writeMicros = Micros.of(write, "write");
        enter();
        try {
            Native.libevent4j_bufferevent_set_timeouts(event.address(), readMicros, writeMicros);
        } finally {
            exit();
        }
    }

    /**
     * How urgent its callbacks are, 0 being the most (bufferevent_priority_set). Sockets only, and best before reading is enabled.
     *
     * @throws IllegalStateException when this is no socket, or a callback of its own, or a deferred one of any, is due
     */
    public void priority(int priority) {
        enter();
        try {
            if (priority < 0 || priority >= loop.priorities()) {
                throw new IllegalArgumentException("this base has the priorities 0 to " + (loop.priorities() - 1) + ", not "
                    + priority);
            }
            if (Native.libevent4j_bufferevent_set_priority(event.address(), priority) != 0) {
                throw new IllegalStateException("the priority cannot change: this is no socket, or a callback is due");
            }
        } finally {
            exit();
        }
    }

    /** How urgent its callbacks are (bufferevent_get_priority). */
    public int priority() {
        enter();
        try {
            return libevent.bufferevent_get_priority(event);
        } finally {
            exit();
        }
    }

    /** Moves what filters and pairs hold back (bufferevent_flush). Does nothing for sockets. */
    public void flush(FlushMode mode, Direction... directions) {
        Objects.requireNonNull(mode, "mode");
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

    /**
     * The most bytes to move at a time, so that one connection does not keep the loop for long; 0 for libevent's own 16384
     * (bufferevent_set_max_single_read, bufferevent_set_max_single_write). A file's bytes are not counted.
     */
    public void maxSingle(Direction direction, long bytes) {
        Objects.requireNonNull(direction, "direction");
        if (bytes < 0) {
            throw new IllegalArgumentException("a number of bytes must not be negative: " + bytes);
        }
        enter();
        try {
            if (direction == Direction.READ) {
                libevent.bufferevent_set_max_single_read(event, bytes);
            } else {
                libevent.bufferevent_set_max_single_write(event, bytes);
            }
        } finally {
            exit();
        }
    }

    /** The most bytes to move at a time (bufferevent_get_max_single_read, bufferevent_get_max_single_write). */
    public long maxSingle(Direction direction) {
        Objects.requireNonNull(direction, "direction");
        enter();
        try {
            return direction == Direction.READ ? libevent.bufferevent_get_max_single_read(event)
                : libevent.bufferevent_get_max_single_write(event);
        } finally {
            exit();
        }
    }

    /** The most bytes that would be moved now, as its limits are (bufferevent_get_max_to_read, bufferevent_get_max_to_write). */
    public long maxToMove(Direction direction) {
        Objects.requireNonNull(direction, "direction");
        enter();
        try {
            return direction == Direction.READ ? libevent.bufferevent_get_max_to_read(event)
                : libevent.bufferevent_get_max_to_write(event);
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
            ensureLimitable();
            ev_token_bucket_cfg before = bucket;
            ev_token_bucket_cfg now = limit == null ? null : bucket(limit);
            if (libevent.bufferevent_set_rate_limit(event, now) != 0) {
                libevent.ev_token_bucket_cfg_free(now);
                throw new OutOfMemoryError("bufferevent_set_rate_limit");
            }
            bucket = now; // libevent only points at it
            this.limit = limit;
            if (before != null) {
                libevent.ev_token_bucket_cfg_free(before);
            }
        } finally {
            exit();
        }
    }

    /** The limit that this one alone has, or nothing (bufferevent_get_token_bucket_cfg). */
    public Optional<RateLimit> rateLimit() {
        enter();
        try {
            return Optional.ofNullable(limit);
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

    /**
     * Counts bytes against the limit that are not this one's, or, with a negative number, gives some back
     * (bufferevent_decrement_read_limit, bufferevent_decrement_write_limit).
     *
     * @throws IllegalStateException when it has no limit of its own
     */
    public void charge(Direction direction, long bytes) {
        Objects.requireNonNull(direction, "direction");
        enter();
        try {
            if (bucket == null) {
                throw new IllegalStateException("this has no rate limit of its own to charge");
            }
            if (direction == Direction.READ) {
                libevent.bufferevent_decrement_read_limit(event, bytes);
            } else {
                libevent.bufferevent_decrement_write_limit(event, bytes);
            }
        } finally {
            exit();
        }
    }

    private void ensureLimitable() {
        if (kind != Kind.SOCKET) {
            throw new IllegalStateException("only sockets can be limited, such as the one that a filter is for");
        }
    }

    static ev_token_bucket_cfg bucket(RateLimit limit) {
        long bucket = Native.libevent4j_token_bucket(limit.readRate(), limit.readBurst(), limit.writeRate(), limit.writeBurst(),
            Micros.of(limit.tick(), "tick"));
        if (bucket == 0 && Native.libevent4j_errno() != 0) {
            throw new OutOfMemoryError("ev_token_bucket_cfg_new");
        }
        if (bucket == 0) {
            throw new IllegalArgumentException("libevent does not take " + limit);
        }
        return Addresses.of(bucket, ev_token_bucket_cfg::new);
    }

    void join(RateLimitGroup joined, bufferevent_rate_limit_group raw) {
        ensureOpen();
        ensureLimitable();
        if (group != null) {
            leave();
        }
        if (libevent.bufferevent_add_to_rate_limit_group(event, raw) != 0) {
            throw new OutOfMemoryError("bufferevent_add_to_rate_limit_group");
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

        /** Whether the user is to hear nothing any more. */
        private boolean deaf() {
            return event == null || !event.isOpen() || !event.loop.handle().isOpen();
        }

        @Override
        public void onRead() throws Exception {
            if (!deaf()) {
                event.listener.onRead(event);
            }
        }

        @Override
        public void onWritten() throws Exception {
            if (!deaf() && event.last().connected) { // libevent calls before, when it is connected at once
                event.listener.onWritten(event);
            }
        }

        @Override
        public void onEvent(int what, int errno, int resolverError) throws Exception {
            if (event != null && event.last().connecting) {
                event.loop.execute(() -> onLaterEvent(what, errno, resolverError));
                return;
            }
            if ((what & libevent.BEV_EVENT_ERROR) != 0 && !deaf() && !event.last().connected && event.last().connectNext()) {
                return;
            }
            // Deferred events come together.
            if ((what & libevent.BEV_EVENT_CONNECTED) != 0 && !deaf()) {
                event.connected();
                event.tellingOfConnection = true;
                try {
                    event.listener.onConnected(event);
                } finally {
                    event.tellingOfConnection = false;
                }
            }
            if ((what & libevent.BEV_EVENT_TIMEOUT) != 0 && (what & libevent.BEV_EVENT_READING) != 0 && !deaf()) {
                event.listener.onTimeout(event, Direction.READ);
            }
            if ((what & libevent.BEV_EVENT_TIMEOUT) != 0 && (what & libevent.BEV_EVENT_WRITING) != 0 && !deaf()) {
                event.listener.onTimeout(event, Direction.WRITE);
            }
            if ((what & libevent.BEV_EVENT_ERROR) != 0 && !deaf()) {
                event.listener.onError(event, event.failure(what, errno, resolverError));
            }
            if ((what & libevent.BEV_EVENT_EOF) != 0 && !deaf()) {
                event.listener.onEof(event);
            }
        }

        private void onLaterEvent(int what, int errno, int resolverError) {
            try {
                onEvent(what, errno, resolverError);
            } catch (Exception e) {
                event.loop.caught(e);
            }
        }
    }

    private IOException failure(int what, int errno, int resolverError) {
        String peer = last().peer;
        IOException failure = filterFailure;
        filterFailure = null;
        if (failure != null) {
            return failure;
        }
        if (resolverError != 0) {
            return new UnknownHostException(peer + ": " + libevent.evutil_gai_strerror(resolverError).getString());
        }
        return new LibeventException(((what & libevent.BEV_EVENT_READING) != 0 ? "read from "
            : (what & libevent.BEV_EVENT_WRITING) != 0 ? "write to " : "connect to ") + peer, errno);
    }

    private static final class FilterTarget extends Target implements Callbacks.FilterTarget {
        private final Filter inputFilter;
        private final Filter outputFilter;
        private Buffer underlyingInput;
        private Buffer input;
        private Buffer output;
        private Buffer underlyingOutput;

        FilterTarget(Filter inputFilter, Filter outputFilter) {
            this.inputFilter = inputFilter;
            this.outputFilter = outputFilter;
        }

        /** The buffers as the filters may use them: they are the native filter's, which may be there longer than its handle. */
        void connect(BufferEvent underlying) {
            NativeHandle base = event.loop.handle();
            underlyingInput = new Buffer(base, libevent.bufferevent_get_input(underlying.event).address(), Buffer.Use.INPUT);
            input = new Buffer(base, libevent.bufferevent_get_input(event.event).address(), Buffer.Use.OUTPUT);
            output = new Buffer(base, libevent.bufferevent_get_output(event.event).address(), Buffer.Use.INPUT);
            underlyingOutput = new Buffer(base, libevent.bufferevent_get_output(underlying.event).address(),
                underlying.kind == Kind.SOCKET ? Buffer.Use.SOCKET_OUTPUT : Buffer.Use.OUTPUT);
        }

        @Override
        public int onFilter(long limit, int mode, boolean out) throws Exception {
            if (underlyingOutput == null || !event.isOpen() && !event.given) {
                return libevent.BEV_ERROR;
            }
            event.loop.beginFilter();
            try {
                FlushMode flush = FlushMode.values()[mode];
                Filter.Result result = out ? outputFilter.filter(output, underlyingOutput, limit, flush)
                    : inputFilter.filter(underlyingInput, input, limit, flush);
                if (result == Filter.Result.ERROR) {
                    event.filterFailed(out, null);
                }
                return result.value;
            } catch (Throwable e) {
                event.filterFailed(out, e);
                throw e;
            } finally {
                event.loop.endFilter();
            }
        }

        @Override
        public void onRead() throws Exception {
            super.onRead();
            // What did not fit below the high watermark, libevent leaves where it is when the listener has made room at once.
            if (event.highWatermark > 0 && event.isOpen() && underlyingInput.length() > 0) {
                long before = event.input.length();
                libevent.bufferevent_flush(event.event, (short) libevent.EV_READ, libevent.BEV_NORMAL);
                if (event.input.length() > before) {
                    libevent.bufferevent_trigger(event.event, (short) libevent.EV_READ, libevent.BEV_TRIG_DEFER_CALLBACKS);
                }
            }
        }

        @Override
        public void onFreed() {
            event.loop.unregister(event.id);
            underlyingInput.endBorrow();
            input.endBorrow();
            output.endBorrow();
            underlyingOutput.endBorrow();
        }
    }

    /** Libevent tells nobody. */
    private void filterFailed(boolean out, Throwable cause) {
        filterFailure = new IOException("the filter of " + (out ? "output" : "input") + " failed", cause);
        libevent.bufferevent_disable(event, (short) (out ? libevent.EV_WRITE : libevent.EV_READ));
        libevent.bufferevent_trigger_event(event, (short) (libevent.BEV_EVENT_ERROR
            | (out ? libevent.BEV_EVENT_WRITING : libevent.BEV_EVENT_READING)), libevent.BEV_TRIG_DEFER_CALLBACKS);
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

    /** Ends what hangs on the buffers of this one and of what it owns. */
    private void dropSubscriptions() {
        input.dropSubscriptions();
        output.dropSubscriptions();
        if (underlying != null) {
            underlying.dropSubscriptions();
        }
    }

    @Override
    protected void release() {
        dropLimits();
        dropSubscriptions();
        if (last().lookup != null) {
            last().lookup.cancel(false);
        }
        // An input that is full calls the filter above it again and again, ahead of what frees the filter when that has less priority.
        for (BufferEvent below = underlying; below != null; below = below.underlying) {
            libevent.bufferevent_disable(below.event, (short) libevent.EV_READ);
        }
        if (free == null) {
            libevent.bufferevent_free(event);
        } else {
            free.run();
        }
        if (kind != Kind.FILTER) { // whose callbacks go on to its freed callback
            loop.unregister(id);
        }
    }
}
