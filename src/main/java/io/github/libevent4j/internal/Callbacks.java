package io.github.libevent4j.internal;

/**
 * Where C calls into Java: one static method for each trampoline of {@code native/}. Nothing else catches Throwable, and none
 * gets out of here. An id that is no longer registered is ignored; so is, while an error waits to come out of dispatch(), every
 * callback but those that end something.
 */
public final class Callbacks {

    /** An event became active. */
    public interface EventTarget {
        void onEvent(int what) throws Exception;
    }

    /** A request arrived. */
    public interface RequestTarget {
        /** @param headLength bytes of the head in the loop's head buffer */
        void onRequest(long exchange, int headLength);
    }

    /** A server has no active request any more. */
    public interface ServerTarget {
        void onDrained();
    }

    /** A watched exchange goes on. */
    public interface ExchangeTarget {
        void onEnded(boolean complete);

        void onDrained();
    }

    /** A call gets its response. */
    public interface CallTarget {
        /** @return false to break the call off */
        boolean onHead(int headLength) throws Exception;

        void onData(byte[] data) throws Exception;

        void onResponse(int headLength, byte[] body);

        void onFailure(int kind, int errno);
    }

    /** A client's connection was closed. */
    public interface ConnectionTarget {
        void onClosed() throws Exception;
    }

    private interface Call<T> {
        void on(T target) throws Exception;
    }

    private Callbacks() {
    }

    private static <T> void call(long id, Class<T> type, Call<T> call) {
        Loop loop = Registry.loop(id);
        if (loop != null && !loop.failed()) {
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

    static void event(long id, int what) {
        call(id, EventTarget.class, target -> target.onEvent(what));
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
        Object target = loop == null || loop.failed() ? null : loop.target(id);
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

    static void exchangeEnded(long id, boolean complete) {
        end(id, ExchangeTarget.class, target -> target.onEnded(complete));
    }

    static void exchangeDrained(long id) {
        call(id, ExchangeTarget.class, ExchangeTarget::onDrained);
    }

    static void serverDrained(long id) {
        end(id, ServerTarget.class, ServerTarget::onDrained);
    }

    static boolean responseHead(long id, int headLength) {
        Loop loop = Registry.loop(id);
        Object target = loop == null || loop.failed() ? null : loop.target(id);
        if (target == null) {
            return false;
        }
        try {
            return ((CallTarget) target).onHead(headLength);
        } catch (Throwable e) {
            loop.caught(e);
            return false;
        }
    }

    static void responseData(long id, byte[] data) {
        call(id, CallTarget.class, target -> target.onData(data));
    }

    static void response(long id, int headLength, byte[] body) {
        end(id, CallTarget.class, target -> target.onResponse(headLength, body));
    }

    static void responseFailed(long id, int kind, int errno) {
        end(id, CallTarget.class, target -> target.onFailure(kind, errno));
    }

    static void connectionClosed(long id) {
        end(id, ConnectionTarget.class, ConnectionTarget::onClosed);
    }
}
