package io.github.libevent4j.internal;

import io.github.libevent4j.global.libevent;

/**
 * Where C calls into Java: one static method for each trampoline of {@code native/}. Nothing else catches Throwable, and none
 * gets out of here. An id that is no longer registered is ignored; so is, while an error waits to come out of dispatch() or the
 * base is being closed, every callback but those that end something.
 */
public final class Callbacks {

    /** An event became active that no {@link EventHandle} is over. */
    public interface EventTarget {
        void onEvent(int what) throws Exception;
    }

    /** A request arrived. */
    public interface RequestTarget {
        /** @param headLength bytes of the head in the loop's head buffer */
        void onRequest(long exchange, int headLength);
    }

    /** A server has no active request any more, or needs a bufferevent for a connection. */
    public interface ServerTarget {
        void onDrained();

        /** @return the address of a bufferevent that evhttp owns from now on */
        long onConnection() throws Exception;

        void onAcceptFailed(int errno);

        /** Evhttp itself answered a request. */
        void onAnswered(int status, boolean complete, long sent, String host, int port);
    }

    /** A watched exchange goes on. */
    public interface ExchangeTarget {
        /**
         * @param status of the reply; 0 when none has begun
         * @param sent bytes of the reply that went out; -1 when they are not counted
         * @param head bytes of its head, for a watch that measures
         */
        void onEnded(boolean complete, int status, long sent, long head);

        void onDrained();

        void onClientClosed();
    }

    /** A connection's request gets its response. */
    public interface CallTarget {
        /** The next piece of the request's body is wanted, which follows its head. */
        void onDrained();

        /** @return false to break the call off */
        boolean onHead(int headLength) throws Exception;

        void onData(byte[] data) throws Exception;

        /** @param body null for a short one, which stands behind the head ({@link Head#body}) */
        void onResponse(int headLength, byte[] body);

        void onFailure(int kind, int errno);
    }

    /** A client's connection was closed. */
    public interface ConnectionTarget {
        void onClosed() throws Exception;
    }

    /** A buffer changed its length. */
    public interface BufferTarget {
        void onChanged(long before, long added, long deleted) throws Exception;
    }

    /** Libevent is through with memory that Java lent it. */
    public interface ReferenceTarget {
        void onReleased() throws Exception;
    }

    /** A bufferevent got or sent something. */
    public interface BufferEventTarget {
        void onRead() throws Exception;

        void onWritten() throws Exception;

        void onEvent(int what, int errno, int resolverError) throws Exception;
    }

    /** A filter transforms. */
    public interface FilterTarget extends BufferEventTarget {
        /** @return BEV_OK, BEV_NEED_MORE or BEV_ERROR */
        int onFilter(long limit, int mode, boolean output) throws Exception;

        void onFreed();
    }

    /** A listener accepted. */
    public interface ListenerTarget {
        /** @return whether the descriptor is taken; otherwise it is closed */
        boolean onAccepted(long descriptor, String host, int port) throws Exception;

        void onFailed(int errno) throws Exception;
    }

    /** A name is resolved, or not. */
    public interface DnsTarget {
        void onAnswer(int result, int type, int ttl, byte[] records);

        void onAddresses(int result, byte[] addresses);
    }

    private interface Call<T> {
        void on(T target) throws Exception;
    }

    private interface Question<T, R> {
        R ask(T target) throws Exception;
    }

    private Callbacks() {
    }

    private static <T> void call(long id, Class<T> type, Call<T> call) {
        Loop loop = Registry.loop(id);
        if (loop != null && !loop.deaf()) {
            end(id, type, call);
        }
    }

    private static <T> void end(long id, Class<T> type, Call<T> call) {
        Loop loop = Registry.loop(id);
        Object target = loop == null ? null : loop.target(id);
        if (target == null) {
            return;
        }
        try {
            call.on(type.cast(target));
        } catch (Throwable e) {
            loop.caught(e);
        }
    }

    private static <T, R> R ask(long id, Class<T> type, R otherwise, Question<T, R> question) {
        Loop loop = Registry.loop(id);
        Object target = loop == null || loop.deaf() ? null : loop.target(id);
        if (target == null) {
            return otherwise;
        }
        try {
            return question.ask(type.cast(target));
        } catch (Throwable e) {
            loop.caught(e);
            return otherwise;
        }
    }

    static void event(long id, int what) {
        Loop loop = Registry.loop(id);
        Object target = loop == null || loop.deaf() ? null : loop.target(id);
        if (target == null) {
            return;
        }
        try {
            if (target instanceof EventHandle handle) {
                handle.active(what);
            } else {
                ((EventTarget) target).onEvent(what);
            }
        } catch (Throwable e) {
            loop.caught(e);
        }
    }

    static long growHead(long id, int size) {
        Loop loop = Registry.loop(id);
        try {
            return loop == null ? 0 : loop.growHead(size);
        } catch (Throwable e) {
            loop.caught(e);
            return 0;
        }
    }

    static boolean request(long id, long exchange, int headLength) {
        Loop loop = Registry.loop(id);
        Object target = loop == null || loop.deaf() ? null : loop.target(id);
        if (target == null) {
            return false;
        }
        try {
            ((RequestTarget) target).onRequest(exchange, headLength);
        } catch (Throwable e) {
            loop.caught(e);
        }
        return true;
    }

    static void exchangeEnded(long id, boolean complete, int status, long sent, long head) {
        end(id, ExchangeTarget.class, target -> target.onEnded(complete, status, sent, head));
    }

    static void exchangeDrained(long id) {
        call(id, ExchangeTarget.class, ExchangeTarget::onDrained);
    }

    static void exchangeClientClosed(long id) {
        call(id, ExchangeTarget.class, ExchangeTarget::onClientClosed);
    }

    static long serverBufferEvent(long id) {
        return ask(id, ServerTarget.class, 0L, ServerTarget::onConnection);
    }

    static void serverAcceptFailed(long id, int errno) {
        call(id, ServerTarget.class, target -> target.onAcceptFailed(errno));
    }

    static void serverAnswered(long id, int status, boolean complete, long sent, String host, int port) {
        call(id, ServerTarget.class, target -> target.onAnswered(status, complete, sent, host, port));
    }

    static void serverDrained(long id) {
        end(id, ServerTarget.class, ServerTarget::onDrained);
    }

    static void requestDrained(long id) {
        call(id, CallTarget.class, CallTarget::onDrained);
    }

    static boolean responseHead(long id, int headLength) {
        return ask(id, CallTarget.class, false, target -> target.onHead(headLength));
    }

    static void responseData(long id, byte[] data) {
        call(id, CallTarget.class, target -> target.onData(data));
    }

    static void response(long id, int headLength, byte[] body) {
        Loop loop = Registry.loop(id);
        Object target = loop == null ? null : loop.target(id);
        if (target == null) {
            return;
        }
        try {
            ((CallTarget) target).onResponse(headLength, body);
        } catch (Throwable e) {
            loop.caught(e);
        }
    }

    static void responseFailed(long id, int kind, int errno) {
        end(id, CallTarget.class, target -> target.onFailure(kind, errno));
    }

    static void connectionClosed(long id) {
        end(id, ConnectionTarget.class, ConnectionTarget::onClosed);
    }

    static void bufferChanged(long id, long before, long added, long deleted) {
        call(id, BufferTarget.class, target -> target.onChanged(before, added, deleted));
    }

    static void bufferReleased(long id) {
        end(id, ReferenceTarget.class, ReferenceTarget::onReleased);
    }

    static void bufferEventRead(long id) {
        call(id, BufferEventTarget.class, BufferEventTarget::onRead);
    }

    static void bufferEventWritten(long id) {
        call(id, BufferEventTarget.class, BufferEventTarget::onWritten);
    }

    static void bufferEventEvent(long id, int what, int errno, int resolverError) {
        call(id, BufferEventTarget.class, target -> target.onEvent(what, errno, resolverError));
    }

    static int filter(long id, long limit, int mode, boolean output) {
        return ask(id, FilterTarget.class, libevent.BEV_ERROR, target -> target.onFilter(limit, mode, output));
    }

    static void filterFreed(long id) {
        end(id, FilterTarget.class, FilterTarget::onFreed);
    }

    static boolean accepted(long id, long descriptor, String host, int port) {
        return ask(id, ListenerTarget.class, false, target -> target.onAccepted(descriptor, host, port));
    }

    static void acceptFailed(long id, int errno) {
        call(id, ListenerTarget.class, target -> target.onFailed(errno));
    }

    static void dnsAnswer(long id, int result, int type, int ttl, byte[] records) {
        end(id, DnsTarget.class, target -> target.onAnswer(result, type, ttl, records));
    }

    static void dnsAddresses(long id, int result, byte[] addresses) {
        end(id, DnsTarget.class, target -> target.onAddresses(result, addresses));
    }
}
