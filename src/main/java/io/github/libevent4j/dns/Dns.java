package io.github.libevent4j.dns;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.evdns_base;
import io.github.libevent4j.bindings.evdns_getaddrinfo_request;
import io.github.libevent4j.bindings.evdns_request;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A resolver that does not block (evdns_base). Belongs to its base's loop, and is closed with it; what it still resolves then fails.
 *
 * <p>Questions can be asked on any thread; settings are for the loop's. Answers are futures, completed on the loop's thread, with a
 * {@link DnsException} when there is none. Completing one in any other way, such as by cancelling it or with orTimeout(), takes its
 * question back.
 *
 * <p>Three things to know of libevent's resolver. It asks over UDP alone: what does not fit into 512 bytes, or has a name of more than
 * {@value #LONGEST_NAME} characters in its answer's data, fails. A name server that does not answer is given up after some questions,
 * and asked for {@code google.com} from time to time, until it answers: that keeps the loop from running out of events. And of an
 * answer's addresses it keeps the first 32, of its names the first.
 */
public final class Dns extends NativeHandle {

    private static final int LONGEST_NAME = 63;
    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final int RESOLV_CONF_UNREADABLE = 1; // libevent then takes the resolver's defaults: the server 127.0.0.1
    private static final int RESOLV_CONF_WITHOUT_SERVER = 6; // and then this one

    /** Which addresses to look for. */
    public enum Family {
        /** IPv4 and IPv6. */
        ANY(0),
        /** IPv4. */
        IPV4(4),
        /** IPv6. */
        IPV6(6);

        private final int value;

        Family(int value) {
            this.value = value;
        }
    }

    /** How to ask a question. */
    public enum Flag {
        /** For the name as it is, and not in the search domains (DNS_QUERY_NO_SEARCH). */
        NO_SEARCH
    }

    /** What to take from a file in the form of resolv.conf. */
    public enum Setting {
        /** The lines {@code domain} and {@code search}, and the option {@code ndots} (DNS_OPTION_SEARCH). */
        SEARCH(libevent.DNS_OPTION_SEARCH),
        /** The lines {@code nameserver}, and the option {@code bind-to} (DNS_OPTION_NAMESERVERS). */
        NAMESERVERS(libevent.DNS_OPTION_NAMESERVERS),
        /** The other options (DNS_OPTION_MISC). */
        MISC(libevent.DNS_OPTION_MISC);

        private final int bit;

        Setting(int bit) {
            this.bit = bit;
        }
    }

    /** An answer of a name server, and for how long it may be kept. */
    public record Answer<T>(List<T> records, Duration timeToLive) {
        /** Copies the records. */
        public Answer {
            records = List.copyOf(Arguments.noNulls(records, "records"));
            Objects.requireNonNull(timeToLive, "timeToLive");
        }
    }

    private final Loop loop;
    private final evdns_base dns;
    private final Set<Question<?>> questions = new LinkedHashSet<>();
    private boolean suspended;

    private Dns(EventBase base, evdns_base dns) {
        super(base);
        this.loop = Loop.of(base);
        this.dns = dns;
    }

    /**
     * A resolver set up as the system is, with the name servers, search domains and options of {@code /etc/resolv.conf} and the names
     * of {@code /etc/hosts} (evdns_base_new and evdns_base_resolv_conf_parse). As for the system, the name server is 127.0.0.1 where
     * none is named.
     *
     * @throws IOException when the system's settings cannot be used
     */
    public static Dns create(EventBase base) throws IOException {
        Dns dns = createEmpty(base);
        // Libevent does the same when it is told to in evdns_base_new(), but fails where no server is named, and wants answers
        // from each server before it lets the loop end.
        int result = dns.parse(RESOLV_CONF, libevent.DNS_OPTIONS_ALL);
        if (result != 0 && result != RESOLV_CONF_UNREADABLE && result != RESOLV_CONF_WITHOUT_SERVER) {
            dns.close();
            throw unparsed(RESOLV_CONF, result);
        }
        return dns;
    }

    /** A resolver without any settings: name servers, hosts files and the rest are to be added (evdns_base_new). */
    public static Dns createEmpty(EventBase base) throws IOException {
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            evdns_base dns = libevent.evdns_base_new(loop.base(), libevent.EVDNS_BASE_DISABLE_WHEN_INACTIVE);
            if (dns == null) {
                throw new LibeventException("evdns_base_new", 0, "there are no random numbers, or there is no memory");
            }
            return new Dns(base, dns);
        } finally {
            loop.exit();
        }
    }

    // ---- settings

    /**
     * Adds a name server (evdns_base_nameserver_sockaddr_add). Questions go to all of them in turn. Adding one again does nothing.
     *
     * @param server an address; its port is 53 when it is 0
     * @throws LibeventException when no socket can be had for it
     */
    public void addNameserver(InetSocketAddress server) throws IOException {
        if (Objects.requireNonNull(server, "server").isUnresolved()) {
            throw new IllegalArgumentException("a name server is an address, not a name: " + server);
        }
        enter();
        try {
            int result = Native.libevent4j_dns_add_nameserver(dns.address(), server.getAddress().getHostAddress(),
                server.getPort() == 0 ? 53 : server.getPort());
            if (result != 0 && result != 3) { // 3: it is there already
                throw new LibeventException("evdns_base_nameserver_sockaddr_add of " + server, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    /** The name servers (evdns_base_get_nameserver_addr). */
    public List<InetSocketAddress> nameservers() {
        enter();
        try {
            List<InetSocketAddress> servers = new ArrayList<>();
            byte[] bytes = new byte[32];
            for (int n = 0; Native.libevent4j_dns_nameserver(dns.address(), n, bytes, bytes.length) >= 0; n++) {
                servers.add(address(null, ByteBuffer.wrap(bytes)));
            }
            return List.copyOf(servers);
        } finally {
            exit();
        }
    }

    private boolean hasNameserver() {
        return libevent.evdns_base_count_nameservers(dns) > 0;
    }

    /**
     * Removes all name servers (evdns_base_clear_nameservers_and_suspend). What is being resolved, and what is asked from now on,
     * waits: add other name servers, and then {@link #resume}.
     */
    public void clearNameserversAndSuspend() {
        enter();
        try {
            suspended = true;
            // Asked anew, from the beginning: libevent would look at servers that it has just freed, if a question of its own to
            // one of them, or one that gives its place to another, were under way.
            List<Question<?>> open = withdrawAll();
            libevent.evdns_base_clear_nameservers_and_suspend(dns);
            open.forEach(Question::ask);
        } finally {
            exit();
        }
    }

    /**
     * Resolves what waits since {@link #clearNameserversAndSuspend} (evdns_base_resume).
     *
     * @throws IllegalStateException when there is no name server
     */
    public void resume() {
        enter();
        try {
            if (!hasNameserver()) {
                throw new IllegalStateException("there is no name server: add one first");
            }
            suspended = false;
            libevent.evdns_base_resume(dns);
        } finally {
            exit();
        }
    }

    /**
     * Takes the settings of a file in the form of resolv.conf (evdns_base_resolv_conf_parse). Search domains replace those that were
     * set, and are the host name's own where the file has none; name servers are added. What libevent does not understand is passed
     * over.
     *
     * @param settings what to take; everything unless given
     * @throws IOException when the file cannot be read; nothing has changed then
     */
    public void parseResolvConf(Path file, Setting... settings) throws IOException {
        int flags = libevent.DNS_OPTION_NAMESERVERS_NO_DEFAULT;
        for (Setting setting : Arguments.noNulls(settings, "settings").length == 0 ? Setting.values() : settings) {
            flags |= setting.bit;
        }
        checkFile(file);
        int result = parse(file, flags);
        if (result != 0) {
            throw unparsed(file, result);
        }
    }

    private int parse(Path file, int flags) {
        enter();
        try {
            return libevent.evdns_base_resolv_conf_parse(dns, flags, file.toString());
        } finally {
            exit();
        }
    }

    private static LibeventException unparsed(Path file, int result) {
        return new LibeventException("evdns_base_resolv_conf_parse of " + file, 0, switch (result) {
            case RESOLV_CONF_UNREADABLE -> "the file cannot be opened";
            default -> "the file cannot be read";
        });
    }

    /**
     * Knows the names of a file in the form of hosts, beside those known already (evdns_base_load_hosts). {@link #lookup} looks for
     * them there first. What libevent does not understand is passed over.
     *
     * @throws IOException when the file cannot be read; nothing has changed then
     */
    public void loadHosts(Path file) throws IOException {
        checkFile(file);
        enter();
        try {
            if (libevent.evdns_base_load_hosts(dns, file.toString()) != 0) {
                throw new LibeventException("evdns_base_load_hosts of " + file, 0, "the file cannot be read");
            }
        } finally {
            exit();
        }
    }

    /** Libevent sets something else in place of what it cannot read, and waits for a writer where the file is a pipe. */
    private static void checkFile(Path file) throws IOException {
        if (!Files.exists(Objects.requireNonNull(file, "file"))) {
            throw new NoSuchFileException(file.toString());
        }
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IOException(file + " is not a file that can be read");
        }
    }

    /** Forgets the names of hosts files (evdns_base_clear_host_addresses). */
    public void clearHosts() {
        enter();
        try {
            libevent.evdns_base_clear_host_addresses(dns);
        } finally {
            exit();
        }
    }

    /**
     * Adds a domain to those that names with few dots are looked for in (evdns_base_search_add). The one that was added last is
     * tried first.
     */
    public void addSearch(String domain) {
        Names.check(domain, "domain");
        enter();
        try {
            libevent.evdns_base_search_add(dns, domain);
        } finally {
            exit();
        }
    }

    /** Forgets the search domains, and what {@link #searchDots} set (evdns_base_search_clear). */
    public void clearSearch() {
        enter();
        try {
            libevent.evdns_base_search_clear(dns);
        } finally {
            exit();
        }
    }

    /**
     * From how many dots on a name is tried as it is before it is looked for in the search domains; 1 unless set
     * (evdns_base_search_ndots_set).
     */
    public void searchDots(int dots) {
        if (dots < 0) {
            throw new IllegalArgumentException("a number of dots is not negative: " + dots);
        }
        enter();
        try {
            libevent.evdns_base_search_ndots_set(dns, dots);
        } finally {
            exit();
        }
    }

    /**
     * Sets an option, under the names of resolv.conf (evdns_base_set_option): {@code timeout}, {@code getaddrinfo-allow-skew} and
     * {@code initial-probe-timeout} in seconds, {@code attempts}, {@code max-timeouts}, {@code max-inflight}, {@code ndots},
     * {@code randomize-case} (0 or 1), and, for name servers that are added later, {@code bind-to} (an address, with or without a port),
     * {@code so-rcvbuf} and {@code so-sndbuf} (bytes).
     *
     * @throws IllegalArgumentException when there is no such option, or it cannot have this value
     */
    public void option(String name, String value) {
        Option option = Option.of(name);
        option.check(value);
        enter();
        try {
            if (libevent.evdns_base_set_option(dns, option.key + ":", value) != 0) {
                throw option.refused(value);
            }
        } finally {
            exit();
        }
    }

    // ---- questions

    /** The IPv4 addresses of a name (evdns_base_resolve_ipv4). */
    public CompletableFuture<Answer<InetAddress>> resolveIpv4(String name, Flag... flags) {
        return resolve(name, "A", libevent.DNS_IPv4_A, flags);
    }

    /** The IPv6 addresses of a name (evdns_base_resolve_ipv6). */
    public CompletableFuture<Answer<InetAddress>> resolveIpv6(String name, Flag... flags) {
        return resolve(name, "AAAA", libevent.DNS_IPv6_AAAA, flags);
    }

    private CompletableFuture<Answer<InetAddress>> resolve(String name, String record, int type, Flag... flags) {
        Names.check(name, "name");
        int bits = List.of(Arguments.noNulls(flags, "flags")).contains(Flag.NO_SEARCH) ? libevent.DNS_QUERY_NO_SEARCH : 0;
        return new Request<>(record + " of " + name, id -> Native.libevent4j_dns_resolve(dns.address(), name, type, bits, id),
            bytes -> addresses(name, type, bytes)).submit();
    }

    private static List<InetAddress> addresses(String name, int type, byte[] records) {
        int size = type == libevent.DNS_IPv6_AAAA ? 16 : 4;
        List<InetAddress> addresses = new ArrayList<>();
        for (ByteBuffer bytes = ByteBuffer.wrap(records); bytes.hasRemaining(); ) {
            byte[] address = new byte[size];
            bytes.get(address);
            addresses.add(address(name, address));
        }
        return addresses;
    }

    /** The name of an address (evdns_base_resolve_reverse and evdns_base_resolve_reverse_ipv6). */
    public CompletableFuture<Answer<String>> resolveReverse(InetAddress address) {
        String digits = address(null, Objects.requireNonNull(address, "address").getAddress()).getHostAddress(); // without a zone
        return new Request<>("PTR of " + digits, id -> Native.libevent4j_dns_reverse(dns.address(), digits, 0, id),
            Dns::names).submit();
    }

    private static List<String> names(byte[] records) {
        List<String> names = new ArrayList<>();
        for (int start = 0, end = 0; end < records.length; end++) {
            if (records[end] == 0) {
                names.add(new String(records, start, end - start, StandardCharsets.ISO_8859_1));
                start = end + 1;
            }
        }
        return names;
    }

    /** The addresses of a name or of an address in digits, from hosts files or name servers (evdns_getaddrinfo). */
    public CompletableFuture<List<InetAddress>> lookup(String host, Family family) {
        return lookup(host, null, family, InetSocketAddress::getAddress);
    }

    /**
     * The same with a port, ready to be connected to.
     *
     * @param port 0 to 65535
     */
    public CompletableFuture<List<InetSocketAddress>> lookup(String host, int port, Family family) {
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
        }
        return lookup(host, Integer.toString(port), family, address -> address);
    }

    private <T> CompletableFuture<List<T>> lookup(String host, String port, Family family, Function<InetSocketAddress, T> form) {
        Names.check(host, "host");
        Objects.requireNonNull(family, "family");
        return new Lookup<>(host, id -> Native.libevent4j_dns_getaddrinfo(dns.address(), host, port, family.value, id), form).submit();
    }

    private static InetAddress address(String host, byte[] bytes) {
        try {
            return InetAddress.getByAddress(host, bytes);
        } catch (UnknownHostException e) { // a wrong length
            throw new IllegalStateException(e);
        }
    }

    /** An address as C packs it. */
    private static InetSocketAddress address(String host, ByteBuffer bytes) {
        byte[] digits = new byte[bytes.get()];
        bytes.get(digits);
        InetAddress address = address(host, digits);
        if (digits.length == 16) {
            int zone = bytes.getInt();
            if (zone != 0 && address instanceof Inet6Address) {
                try {
                    address = Inet6Address.getByAddress(host, digits, zone);
                } catch (UnknownHostException e) { // a wrong length
                    throw new IllegalStateException(e);
                }
            }
        }
        return new InetSocketAddress(address, bytes.getShort() & 0xFFFF);
    }

    private interface Asker {
        /** @return the address of libevent's request; 0 when there is none, because it was answered at once or cannot be asked */
        long ask(long id);
    }

    /** A question on its way. */
    private abstract class Question<T> extends CompletableFuture<T> implements Callbacks.DnsTarget {

        final String what;
        private final Asker asker;
        private long id;
        private long request; // libevent's; 0 before it is asked and when it is through
        private volatile boolean ended;

        Question(String what, Asker asker) {
            this.what = what;
            this.asker = asker;
        }

        /** Asks, soon. Any thread. */
        final CompletableFuture<T> submit() {
            ensureOpen();
            whenComplete((answer, failure) -> {
                if (!ended) { // by the program
                    loop.whenSafe(this::withdraw);
                }
            });
            loop.submit(() -> {
                if (!isOpen()) {
                    closed();
                } else if (!isDone()) {
                    ask();
                }
            });
            return this;
        }

        private boolean isOpen() {
            return Dns.this.isOpen();
        }

        /** Asks. The loop is held. */
        final void ask() {
            id = loop.register(this);
            questions.add(this);
            long asked = asker.ask(id);
            if (ended) {
                return; // answered at once
            }
            request = asked;
            if (asked == 0) {
                fail(libevent.DNS_ERR_UNKNOWN, "the question cannot be asked");
            } else if (!suspended && !hasNameserver()) { // libevent waits for one
                withdraw();
                fail(libevent.DNS_ERR_UNKNOWN, "there is no name server: add one");
            }
        }

        /** Takes the question back, if it is on its way. The loop is held. */
        final void withdraw() {
            if (request != 0) {
                cancel(request); // libevent calls back all the same, for an id that is stale then
            }
            end();
        }

        abstract void cancel(long asked);

        /** Libevent is through with the question. */
        final void end() {
            request = 0;
            loop.unregister(id);
            questions.remove(this);
        }

        final void succeed(T answer) {
            end();
            ended = true;
            complete(answer);
        }

        final void fail(int code, String why) {
            end();
            ended = true;
            completeExceptionally(new DnsException(what, code, why));
        }

        final void closed() {
            fail(libevent.DNS_ERR_SHUTDOWN, "the resolver was closed");
        }

        @Override
        public void onAnswer(int result, int type, int ttl, byte[] records) {
            throw new IllegalStateException("not a question to a name server");
        }

        @Override
        public void onAddresses(int result, byte[] addresses) {
            throw new IllegalStateException("not a lookup");
        }
    }

    private final class Request<T> extends Question<Answer<T>> {

        private final Function<byte[], List<T>> reader;

        Request(String what, Asker asker, Function<byte[], List<T>> reader) {
            super(what, asker);
            this.reader = reader;
        }

        @Override
        void cancel(long asked) {
            libevent.evdns_cancel_request(dns, Addresses.of(asked, evdns_request::new));
        }

        @Override
        public void onAnswer(int result, int type, int ttl, byte[] records) {
            if (result != libevent.DNS_ERR_NONE) {
                fail(result, libevent.evdns_err_to_string(result).getString());
            } else {
                // A time with its highest bit set means zero (RFC 2181, section 8).
                succeed(new Answer<>(List.copyOf(reader.apply(records)), Duration.ofSeconds(Math.max(0, ttl))));
            }
        }
    }

    private final class Lookup<T> extends Question<List<T>> {

        private final String host;
        private final Function<InetSocketAddress, T> form;

        Lookup(String host, Asker asker, Function<InetSocketAddress, T> form) {
            super("addresses of " + host, asker);
            this.host = host;
            this.form = form;
        }

        @Override
        void cancel(long asked) {
            libevent.evdns_getaddrinfo_cancel(Addresses.of(asked, evdns_getaddrinfo_request::new));
        }

        @Override
        public void onAddresses(int result, byte[] addresses) {
            if (result != 0) {
                fail(result, libevent.evutil_gai_strerror(result).getString());
            } else if (addresses.length == 0) {
                fail(libevent.EVUTIL_EAI_NODATA, "the hosts file has no address of this family");
            } else {
                List<T> found = new ArrayList<>();
                for (ByteBuffer bytes = ByteBuffer.wrap(addresses); bytes.hasRemaining(); ) {
                    found.add(form.apply(address(host, bytes)));
                }
                succeed(List.copyOf(found));
            }
        }
    }

    /** Takes all questions back, and returns them in the order in which they were asked. The loop is held. */
    private List<Question<?>> withdrawAll() {
        List<Question<?>> open = new ArrayList<>(questions);
        Collections.reverse(open); // what waits for its turn first: it is not asked then
        open.forEach(Question::withdraw);
        Collections.reverse(open);
        return open;
    }

    @Override
    protected void release() {
        List<Question<?>> open = withdrawAll();
        Native.libevent4j_dns_free(loop.address(), dns.address());
        open.forEach(Question::closed);
    }
}
