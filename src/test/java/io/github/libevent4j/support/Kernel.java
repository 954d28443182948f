package io.github.libevent4j.support;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the system's kernel knows of this process and its connections. */
public final class Kernel {

    private Kernel() {
    }

    /** EPOLLIN, and what epoll reports unasked. */
    public static final int READABLE = 0x1 | 0x8 | 0x10;

    /** Bytes that have come over a connection of IPv4, and that its end at {@code local} has not read yet. */
    public static long unread(InetSocketAddress local, InetSocketAddress remote) throws IOException {
        String queue = connection(local, remote)[4];
        return Long.parseLong(queue.substring(queue.indexOf(':') + 1), 16);
    }

    /** What the kernel is to report to this process of a connection of IPv4, of which it has the end at {@code local}; 0 for nothing. */
    public static int polled(InetSocketAddress local, InetSocketAddress remote) throws IOException {
        List<String> sockets = descriptorsTo("socket:[" + connection(local, remote)[9] + "]");
        for (String epoll : descriptorsTo("anon_inode:[eventpoll]")) {
            for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", epoll))) {
                String[] fields = line.strip().split("\\s+");
                if (fields[0].equals("tfd:") && sockets.contains(fields[1])) {
                    return (int) Long.parseLong(fields[3], 16);
                }
            }
        }
        return 0;
    }

    private static List<String> descriptorsTo(String target) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).toString().equals(target);
                } catch (IOException e) { // gone meanwhile
                    return false;
                }
            }).map(descriptor -> descriptor.getFileName().toString()).toList();
        }
    }

    private static String[] connection(InetSocketAddress local, InetSocketAddress remote) throws IOException {
        List<String> ends = List.of(hex(local), hex(remote));
        for (String line : Files.readAllLines(Path.of("/proc/net/tcp"))) {
            String[] fields = line.strip().split("\\s+");
            if (List.of(fields).subList(1, 3).equals(ends)) {
                return fields;
            }
        }
        throw new IOException("there is no connection from " + remote + " to " + local);
    }

    /** Descriptors that this process has open. */
    public static long descriptors() throws IOException {
        return descriptors(ProcessHandle.current().pid());
    }

    /** Descriptors that a process has open. */
    public static long descriptors(long pid) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return open.count();
        }
    }

    /** Descriptors of a file that this process has open: what else it opens does not count. */
    public static long descriptors(Path file) throws IOException {
        return descriptorsTo(file.toRealPath().toString()).size();
    }

    private static String hex(InetSocketAddress address) {
        int number = ByteBuffer.wrap(address.getAddress().getAddress()).order(ByteOrder.nativeOrder()).getInt();
        return String.format("%08X:%04X", number, address.getPort());
    }
}
