package io.github.libevent4j.misuse;

import java.lang.reflect.Array;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What is at the edge of a type's values, or beyond what makes sense. */
final class Extremes {

    private static final List<String> STRINGS = List.of("", " ", "\0", "a\0b", "a\rb", "a\nb", "a\r\nb: c", "\u007f", "\u00e9", "\u20ac",
        "\ud800", "%", "%00", "::1", "[::1]:80", "..", "-1", "99999999999999999999", "x".repeat(100_000));

    private Extremes() {
    }

    /** What to give for a parameter of a call. */
    static List<Object> of(World world, Api.Call call, int index) throws Exception {
        List<Object> extremes = of(world, call.genericTypes()[index], call.types()[index]);
        if (call.name(index).equals("descriptor")) { // a number that some other part of this process has must be left alone
            return extremes.stream().filter(each -> (long) each < 0 || (long) each >= Integer.MAX_VALUE).toList();
        }
        return extremes;
    }

    private static List<Object> of(World world, Type generic, Class<?> type) throws Exception {
        if (type == int.class) {
            return List.of(Integer.MIN_VALUE, -2, -1, 0, 255, 256, 65536, Integer.MAX_VALUE);
        }
        if (type == long.class) {
            return List.of(Long.MIN_VALUE, (long) Integer.MIN_VALUE - 1, -2L, -1L, 0L, (long) Integer.MAX_VALUE, 1L << 31, 1L << 32,
                1L << 47, Long.MAX_VALUE);
        }
        if (type == String.class) {
            return new ArrayList<>(STRINGS);
        }
        if (type == Duration.class) {
            return List.of(Duration.ofSeconds(Long.MIN_VALUE), Duration.ofSeconds(-1), Duration.ofNanos(-1), Duration.ZERO,
                Duration.ofNanos(1), Duration.ofDays(100_000), Duration.ofSeconds(Long.MAX_VALUE / 1_000_000),
                Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        }
        if (type == Instant.class) {
            return List.of(Instant.MIN, Instant.MAX);
        }
        if (type == byte[].class) {
            return List.of(new byte[0], new byte[1 << 20]);
        }
        if (type == ByteBuffer.class) {
            return List.of(ByteBuffer.allocate(0), ByteBuffer.allocateDirect(0), ByteBuffer.allocate(9), ByteBuffer.allocate(9).position(9),
                ByteBuffer.allocate(9).position(5).slice(), ByteBuffer.allocate(9).asReadOnlyBuffer(),
                ByteBuffer.allocateDirect(9).asReadOnlyBuffer());
        }
        if (type == Path.class) {
            return List.of(Path.of(""), Path.of("/"), Path.of("x".repeat(5000)), world.nothing(), world.directory(),
                Path.of("/dev/null"));
        }
        if (InetSocketAddress.class == type || SocketAddress.class == type) {
            List<Object> addresses = new ArrayList<>(List.of(InetSocketAddress.createUnresolved("host.invalid", 80),
                new InetSocketAddress("127.0.0.1", 0), new InetSocketAddress("::", 0)));
            if (type == SocketAddress.class) {
                addresses.addAll(List.of(UnixDomainSocketAddress.of(""), UnixDomainSocketAddress.of("x".repeat(500)),
                    new SocketAddress() { }));
            }
            return addresses;
        }
        if (type == UnixDomainSocketAddress.class) {
            return List.of(UnixDomainSocketAddress.of(""), UnixDomainSocketAddress.of("x".repeat(500)));
        }
        if (type == InetAddress.class) {
            return List.of(InetAddress.getByAddress(new byte[16]), InetAddress.getByAddress("\0", new byte[4]));
        }
        if (type == SelectableChannel.class) {
            SocketChannel closed = world.channel();
            closed.close();
            SocketChannel blocking = world.channel();
            blocking.configureBlocking(true);
            return List.of(closed, blocking, world.keep(SocketChannel.open().configureBlocking(false)));
        }
        if (type == ServerSocketChannel.class) {
            ServerSocketChannel closed = world.listening();
            closed.close();
            return List.of(closed, world.keep(ServerSocketChannel.open()));
        }
        if (type == FileChannel.class) {
            FileChannel closed = world.openFile();
            closed.close();
            return List.of(closed, world.keep(FileChannel.open(Path.of("/dev/null"))));
        }
        if (type.isEnum()) {
            return List.of(type.getEnumConstants());
        }
        if (type.isArray() && !type.getComponentType().isPrimitive()) {
            Class<?> element = type.getComponentType();
            Object all = element.isEnum() ? element.getEnumConstants() : Array.newInstance(element, 0);
            return List.of(Array.newInstance(element, 0), Array.newInstance(element, 1), all);
        }
        if (type == List.class) {
            return List.of(List.of(), Collections.singletonList(null));
        }
        if (Collection.class.isAssignableFrom(type)) {
            Class<?> element = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
            Set<Object> all = new LinkedHashSet<>(Arrays.asList(element.getEnumConstants()));
            return List.of(Set.of(), all, new LinkedHashSet<>(Collections.singleton(null)));
        }
        return List.of();
    }

    /** A value as a message may show it. */
    static String show(Object value) {
        String text = value instanceof Object[] array ? Arrays.toString(array) : value instanceof byte[] bytes ? bytes.length + " bytes"
            : String.valueOf(value);
        return (text.length() > 60 ? text.substring(0, 60) + "… (" + text.length() + ")" : text).replace("\r", "\\r").replace("\n", "\\n")
            .replace("\0", "\\0");
    }
}
