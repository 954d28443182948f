package io.github.libevent4j.support;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** The name server dnsmasq, on a free port of the loopback: it asks no other server, and knows only what it is told. */
public final class Dnsmasq implements AutoCloseable {

    private final InetSocketAddress address;
    private final Programs.Running running;

    /** The same on 127.0.0.1. */
    public Dnsmasq(Path directory, String records) throws IOException, InterruptedException {
        this(directory, "127.0.0.1", records);
    }

    /**
     * Starts it.
     *
     * @param directory where it keeps its files
     * @param host the address to listen on
     * @param records lines of its configuration
     */
    public Dnsmasq(Path directory, String host, String records) throws IOException, InterruptedException {
        InetAddress loopback = InetAddress.getByName(host);
        address = new InetSocketAddress(loopback, freePort(loopback));
        Path configuration = Files.writeString(directory.resolve("dnsmasq.conf"), """
            keep-in-foreground
            log-facility=-
            log-queries
            bind-interfaces
            except-interface=none
            listen-address=%s
            port=%d
            no-resolv
            no-hosts
            no-poll
            local=/#/
            user=
            group=
            pid-file=
            %s
            """.formatted(host, address.getPort(), records));
        running = Programs.start("dnsmasq", "--conf-file=" + configuration);
        running.awaitErrors(Pattern.compile("started, version")); // it listens by now
    }

    /** Free for UDP and for TCP, and none that the system gives to others: dnsmasq takes it only later. */
    private static int freePort(InetAddress loopback) throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (DatagramSocket udp = new DatagramSocket(port, loopback); ServerSocket tcp = new ServerSocket(port, 1, loopback)) {
                return port;
            } catch (BindException e) { // taken: another one
            }
        }
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return address;
    }

    /** Waits until it has been asked this, such as {@code query[A] name}. */
    public void awaitQuery(String query) throws InterruptedException {
        running.awaitErrors(Pattern.compile(Pattern.quote(query), Pattern.CASE_INSENSITIVE));
    }

    @Override
    public void close() {
        running.close();
    }
}
