package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.BEV_FINISHED;
import static io.github.libevent4j.global.libevent.BEV_OK;
import static io.github.libevent4j.global.libevent.BEV_OPT_CLOSE_ON_FREE;
import static io.github.libevent4j.global.libevent.EVBUF_FS_CLOSE_ON_FREE;
import static io.github.libevent4j.global.libevent.EVLOOP_NONBLOCK;
import static io.github.libevent4j.global.libevent.EV_READ;
import static io.github.libevent4j.global.libevent.EV_WRITE;
import static io.github.libevent4j.global.libevent.LEV_OPT_CLOSE_ON_FREE;
import static io.github.libevent4j.global.libevent.bufferevent_enable;
import static io.github.libevent4j.global.libevent.bufferevent_filter_new;
import static io.github.libevent4j.global.libevent.bufferevent_flush;
import static io.github.libevent4j.global.libevent.bufferevent_free;
import static io.github.libevent4j.global.libevent.bufferevent_pair_new;
import static io.github.libevent4j.global.libevent.bufferevent_setcb;
import static io.github.libevent4j.global.libevent.bufferevent_write;
import static io.github.libevent4j.global.libevent.evbuffer_add;
import static io.github.libevent4j.global.libevent.evbuffer_add_buffer;
import static io.github.libevent4j.global.libevent.evbuffer_add_cb;
import static io.github.libevent4j.global.libevent.evbuffer_add_file_segment;
import static io.github.libevent4j.global.libevent.evbuffer_add_reference;
import static io.github.libevent4j.global.libevent.evbuffer_file_segment_add_cleanup_cb;
import static io.github.libevent4j.global.libevent.evbuffer_file_segment_free;
import static io.github.libevent4j.global.libevent.evbuffer_file_segment_new;
import static io.github.libevent4j.global.libevent.evbuffer_free;
import static io.github.libevent4j.global.libevent.evbuffer_new;
import static io.github.libevent4j.global.libevent.evbuffer_setcb;
import static io.github.libevent4j.global.libevent.evbuffer_write;
import static io.github.libevent4j.global.libevent.evconnlistener_free;
import static io.github.libevent4j.global.libevent.evconnlistener_get_fd;
import static io.github.libevent4j.global.libevent.evconnlistener_new;
import static io.github.libevent4j.global.libevent.evconnlistener_new_bind;
import static io.github.libevent4j.global.libevent.evconnlistener_set_error_cb;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_loop;
import static io.github.libevent4j.global.libevent.event_base_loopbreak;
import static io.github.libevent4j.global.libevent.event_base_new;
import static io.github.libevent4j.global.libevent.evutil_closesocket;
import static io.github.libevent4j.global.libevent.evutil_parse_sockaddr_port;
import static io.github.libevent4j.global.libevent.evutil_socketpair;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.bindings.bufferevent;
import io.github.libevent4j.bindings.bufferevent_data_cb;
import io.github.libevent4j.bindings.bufferevent_event_cb;
import io.github.libevent4j.bindings.bufferevent_filter_cb;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.evbuffer_cb;
import io.github.libevent4j.bindings.evbuffer_cb_func;
import io.github.libevent4j.bindings.evbuffer_cb_info;
import io.github.libevent4j.bindings.evbuffer_file_segment;
import io.github.libevent4j.bindings.evbuffer_file_segment_cleanup_cb;
import io.github.libevent4j.bindings.evbuffer_ref_cleanup_cb;
import io.github.libevent4j.bindings.evconnlistener;
import io.github.libevent4j.bindings.evconnlistener_cb;
import io.github.libevent4j.bindings.evconnlistener_errorcb;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.free_fn;
import io.github.libevent4j.bindings.sockaddr;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Native;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** C programs with each callback of event2/buffer.h, bufferevent.h and listener.h. */
final class IoPrograms {

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCKADDR_SIZE = 128;

    private static final evbuffer_cb_func CHANGED = new evbuffer_cb_func() {
        @Override
        public void call(evbuffer buffer, evbuffer_cb_info info, Pointer arg) {
            if (info.n_added() == 3) {
                Fired.add("evbuffer_add_cb");
            }
        }
    };

    private static final evbuffer_cb CHANGED_COMPAT = new evbuffer_cb() {
        @Override
        public void call(evbuffer buffer, long before, long after, Pointer arg) {
            if (before == 0 && after == 3) {
                Fired.add("evbuffer_setcb");
            }
        }
    };

    private static final evbuffer_ref_cleanup_cb RELEASED = new evbuffer_ref_cleanup_cb() {
        @Override
        public void call(Pointer data, long length, Pointer arg) {
            Fired.add("evbuffer_add_reference");
        }
    };

    private static final evbuffer_file_segment_cleanup_cb SEGMENT_FREED = new evbuffer_file_segment_cleanup_cb() {
        @Override
        public void call(evbuffer_file_segment segment, int flags, Pointer arg) {
            Fired.add("evbuffer_file_segment_add_cleanup_cb");
        }
    };

    private static final bufferevent_data_cb READ = new bufferevent_data_cb() {
        @Override
        public void call(bufferevent bev, Pointer arg) {
            Fired.add("bufferevent_setcb read");
        }
    };

    private static final bufferevent_data_cb WRITTEN = new bufferevent_data_cb() {
        @Override
        public void call(bufferevent bev, Pointer arg) {
            Fired.add("bufferevent_setcb write");
        }
    };

    private static final bufferevent_event_cb HAPPENED = new bufferevent_event_cb() {
        @Override
        public void call(bufferevent bev, short what, Pointer arg) {
            Fired.add("bufferevent_setcb event");
        }
    };

    private static final bufferevent_filter_cb INPUT = new bufferevent_filter_cb() {
        @Override
        public int call(evbuffer source, evbuffer target, long limit, int mode, Pointer arg) {
            Fired.add("bufferevent_filter_new input");
            evbuffer_add_buffer(target, source);
            return BEV_OK;
        }
    };

    private static final bufferevent_filter_cb OUTPUT = new bufferevent_filter_cb() {
        @Override
        public int call(evbuffer source, evbuffer target, long limit, int mode, Pointer arg) {
            Fired.add("bufferevent_filter_new output");
            evbuffer_add_buffer(target, source);
            return BEV_OK;
        }
    };

    private static final free_fn FILTER_FREED = new free_fn() {
        @Override
        public void call(Pointer context) {
            Fired.add("bufferevent_filter_new free_context");
        }
    };

    private static final evconnlistener_cb ACCEPTED = new evconnlistener_cb() {
        @Override
        public void call(evconnlistener listener, long fd, sockaddr address, int length, Pointer base) {
            Fired.add("evconnlistener_new");
            evutil_closesocket(fd);
            event_base_loopbreak(new event_base(base));
        }
    };

    private static final evconnlistener_errorcb NOT_ACCEPTED = new evconnlistener_errorcb() {
        @Override
        public void call(evconnlistener listener, Pointer base) {
            Fired.add("evconnlistener_set_error_cb");
            event_base_loopbreak(new event_base(base));
        }
    };

    private IoPrograms() {
    }

    static void buffers() {
        evbuffer buffer = evbuffer_new();
        evbuffer_add_cb(buffer, CHANGED, null);
        evbuffer_add(buffer, new BytePointer("abc"), 3);
        evbuffer_free(buffer);

        evbuffer old = evbuffer_new();
        evbuffer_setcb(old, CHANGED_COMPAT, null);
        evbuffer_add(old, new BytePointer("abc"), 3);
        evbuffer_free(old);
    }

    static void references() throws Exception {
        evbuffer buffer = evbuffer_new();
        BytePointer data = new BytePointer("abc");
        evbuffer_add_reference(buffer, data, 3, RELEASED, null);
        Path file = Files.createTempFile("segment", null);
        Files.writeString(file, "abc");
        try (FileChannel channel = FileChannel.open(file)) {
            int fd = (int) Descriptors.duplicate(channel);
            evbuffer_file_segment segment = evbuffer_file_segment_new(fd, 0, 3, EVBUF_FS_CLOSE_ON_FREE);
            evbuffer_file_segment_add_cleanup_cb(segment, SEGMENT_FREED, null);
            evbuffer_add_file_segment(buffer, segment, 0, 3);
            evbuffer_file_segment_free(segment);
        } finally {
            Files.delete(file);
        }
        evbuffer_free(buffer);
        data.close();
    }

    /** What one end of a pair writes passes the filter on the other, and back. */
    static void bufferEvents() {
        event_base base = event_base_new();
        try (PointerPointer<bufferevent> pair = new PointerPointer<>(2)) {
            assertEquals(0, bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, pair));
            bufferevent plain = pair.get(bufferevent.class, 0);
            bufferevent filtered = bufferevent_filter_new(pair.get(bufferevent.class, 1), INPUT, OUTPUT, BEV_OPT_CLOSE_ON_FREE,
                FILTER_FREED, null);
            bufferevent_setcb(plain, READ, WRITTEN, HAPPENED, null);
            bufferevent_setcb(filtered, READ, WRITTEN, HAPPENED, null);
            bufferevent_enable(plain, (short) (EV_READ | EV_WRITE));
            bufferevent_enable(filtered, (short) (EV_READ | EV_WRITE));
            bufferevent_write(plain, new BytePointer("abc"), 3);
            event_base_loop(base, EVLOOP_NONBLOCK);
            bufferevent_write(filtered, new BytePointer("abc"), 3);
            event_base_loop(base, EVLOOP_NONBLOCK);
            bufferevent_flush(filtered, (short) EV_WRITE, BEV_FINISHED);
            event_base_loop(base, EVLOOP_NONBLOCK);
            bufferevent_free(plain);
            bufferevent_free(filtered);
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
        event_base_free(base);
    }

    static void listener() throws Exception {
        event_base base = event_base_new();
        evconnlistener listener;
        try (BytePointer memory = new BytePointer(SOCKADDR_SIZE); IntPointer length = new IntPointer(1).put(SOCKADDR_SIZE)) {
            sockaddr address = new sockaddr(memory);
            assertEquals(0, evutil_parse_sockaddr_port("127.0.0.1", address, length));
            listener = evconnlistener_new_bind(base, ACCEPTED, base, LEV_OPT_CLOSE_ON_FREE, -1, address, length.get());
        }
        int port = Native.libevent4j_local_port(evconnlistener_get_fd(listener));
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        event_base_dispatch(base);
        socket.close();
        evconnlistener_free(listener);
        event_base_free(base);
    }

    /** A socket that cannot accept: it is connected. */
    static void failingListener() {
        event_base base = event_base_new();
        evbuffer something = evbuffer_new();
        evbuffer_add(something, new BytePointer("x"), 1);
        try (IntPointer pair = new IntPointer(2)) {
            assertEquals(0, evutil_socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
            evconnlistener listener = evconnlistener_new(base, ACCEPTED, base, LEV_OPT_CLOSE_ON_FREE, 0, pair.get(0));
            evconnlistener_set_error_cb(listener, NOT_ACCEPTED);
            evbuffer_write(something, pair.get(1));
            event_base_dispatch(base);
            evconnlistener_free(listener);
            evutil_closesocket(pair.get(1));
        }
        evbuffer_free(something);
        event_base_free(base);
    }
}
