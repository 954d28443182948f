package io.github.libevent4j.dns;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.evdns_base;
import io.github.libevent4j.bindings.evdns_getaddrinfo_request;
import io.github.libevent4j.bindings.evdns_request;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A resolver that does not block (evdns_base). Belongs to its base's loop, and is closed with it; what it still resolves then fails.
 *
 * <p>Its answers are futures, completed on the loop's thread, with a {@link DnsException} when there is none. Cancelling one cancels
 * its question.
 */
public final class Dns extends NativeHandle {

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

    /** An answer of a name server, and for how long it may be kept. */
    public record Answer<T>(List<T> records, Duration timeToLive) {
    }

    private final Loop loop;
    private final evdns_base dns;
    private final Set<Question<?>> questions = new LinkedHashSet<>();

    private Dns(EventBase base, evdns_base dns) {
        super(base);
        this.loop = Loop.of(base);
        this.dns = dns;
    }

    /**
     * A resolver set up as the system is: its name servers, search domains and hosts file (EVDNS_BASE_INITIALIZE_NAMESERVERS).
     *
     * @throws IOException when the system's settings cannot be read
     */
    public static Dns create(EventBase base) throws IOException {
        return create(base, libevent.EVDNS_BASE_INITIALIZE_NAMESERVERS | libevent.EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    }

    /** A resolver without any settings. Name servers are to be added (evdns_base_new). */
    public static Dns createEmpty(EventBase base) throws IOException {
        return create(base, libevent.EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    }

    private static Dns create(EventBase base, int flags) throws IOException {
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            evdns_base dns = libevent.evdns_base_new(loop.base(), flags);
            if (dns == null) {
                throw new LibeventException("evdns_base_new", 0, "the system's resolver settings cannot be used");
            }
            return new Dns(base, dns);
        } finally {
            loop.exit();
        }
    }

    /** For the classes of this library that resolve with it. */
    public evdns_base raw() {
        ensureOpen();
        return dns;
    }

    // ---- settings

    /** Adds a name server (evdns_base_nameserver_ip_add). */
    public void addNameserver(InetSocketAddress server) {
        if (server.isUnresolved()) {
            throw new IllegalArgumentException("a name server is an address, not " + server);
        }
        String host = server.getAddress().getHostAddress();
        String text = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + (server.getPort() == 0 ? 53 : server.getPort());
        enter();
        try {
            if (libevent.evdns_base_nameserver_ip_add(dns, text) != 0) {
                throw new IllegalArgumentException("libevent does not take the name server " + server);
            }
        } finally {
            exit();
        }
    }

    /** How many name servers there are (evdns_base_count_nameservers). */
    public int nameservers() {
        enter();
        try {
            return libevent.evdns_base_count_nameservers(dns);
        } finally {
            exit();
        }
    }

    /** Removes all name servers and holds all questions back until {@link #resume} (evdns_base_clear_nameservers_and_suspend). */
    public void clearNameserversAndSuspend() {
        enter();
        try {
            libevent.evdns_base_clear_nameservers_and_suspend(dns);
        } finally {
            exit();
        }
    }

    /** Asks the questions that were held back (evdns_base_resume). */
    public void resume() {
        enter();
        try {
            libevent.evdns_base_resume(dns);
        } finally {
            exit();
        }
    }

    /** Takes the settings of a file in the form of resolv.conf (evdns_base_resolv_conf_parse). */
    public void parseResolvConf(Path file) throws IOException {
        enter();
        try {
            int result = libevent.evdns_base_resolv_conf_parse(dns, libevent.DNS_OPTIONS_ALL
                | libevent.DNS_OPTION_NAMESERVERS_NO_DEFAULT, file.toString());
            if (result != 0 && result != 6) { // 6: it names no server, which is for the caller to add
                throw new LibeventException("evdns_base_resolv_conf_parse of " + file, 0, switch (result) {
                    case 1 -> "the file cannot be opened";
                    case 2 -> "the file cannot be examined";
                    case 3 -> "the file is too large";
                    case 4 -> "there is no memory left";
                    default -> "the file cannot be read";
                });
            }
        } finally {
            exit();
        }
    }

    /** Knows the names of a file in the form of hosts (evdns_base_load_hosts). */
    public void loadHosts(Path file) throws IOException {
        enter();
        try {
            if (libevent.evdns_base_load_hosts(dns, file.toString()) != 0) {
                throw new LibeventException("evdns_base_load_hosts of " + file, 0, "the file cannot be read");
            }
        } finally {
            exit();
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

    /** Adds a domain to those that names without dots are looked for in (evdns_base_search_add). */
    public void addSearch(String domain) {
        Objects.requireNonNull(domain, "domain");
        enter();
        try {
            libevent.evdns_base_search_add(dns, domain);
        } finally {
            exit();
        }
    }

    /** Forgets the search domains (evdns_base_search_clear). */
    public void clearSearch() {
        enter();
        try {
            libevent.evdns_base_search_clear(dns);
        } finally {
            exit();
        }
    }

    /** From how many dots on a name is first tried as it is (evdns_base_search_ndots_set). */
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
     * Sets an option, such as {@code timeout}, {@code attempts} or {@code randomize-case} (evdns_base_set_option).
     *
     * @throws IllegalArgumentException when libevent does not take the value
     */
    public void option(String name, String value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        enter();
        try {
            if (libevent.evdns_base_set_option(dns, name.endsWith(":") ? name : name + ":", value) != 0) {
                throw new IllegalArgumentException("libevent does not take " + value + " for the option " + name);
            }
        } finally {
            exit();
        }
    }

    // ---- questions

    /** The IPv4 addresses of a name (evdns_base_resolve_ipv4). */
    public CompletableFuture<Answer<InetAddress>> resolveIpv4(String name) {
        return ask(new Question<>("A of " + name, Dns::addresses),
            id -> Native.libevent4j_dns_resolve(dns.address(), name, libevent.DNS_IPv4_A, 0, id));
    }

    /** The IPv6 addresses of a name (evdns_base_resolve_ipv6). */
    public CompletableFuture<Answer<InetAddress>> resolveIpv6(String name) {
        return ask(new Question<>("AAAA of " + name, Dns::addresses),
            id -> Native.libevent4j_dns_resolve(dns.address(), name, libevent.DNS_IPv6_AAAA, 0, id));
    }

    /** The names of an address (evdns_base_resolve_reverse). */
    public CompletableFuture<Answer<String>> resolveReverse(InetAddress address) {
        String text = address.getHostAddress();
        return ask(new Question<>("PTR of " + text, Dns::names),
            id -> Native.libevent4j_dns_reverse(dns.address(), text, 0, id));
    }

    /** The addresses of a name or of an address in digits, from hosts files or name servers (evdns_getaddrinfo). */
    public CompletableFuture<List<InetAddress>> lookup(String host, Family family) {
        Objects.requireNonNull(host, "host");
        Lookup lookup = new Lookup(host);
        loop.submit(() -> {
            if (lookup.begin()) {
                long request = Native.libevent4j_dns_getaddrinfo(dns.address(), host, null, family.value, 0, lookup.id);
                lookup.began(request);
            }
        });
        return lookup;
    }

    private interface Asker {
        long ask(long id);
    }

    private <T> CompletableFuture<Answer<T>> ask(Question<Answer<T>> question, Asker asker) {
        loop.submit(() -> {
            if (question.begin()) {
                long request = asker.ask(question.id);
                if (request == 0 && !question.isDone()) {
                    question.end();
                    question.completeExceptionally(new DnsException(question.what, libevent.DNS_ERR_UNKNOWN,
                        "the question cannot be asked"));
                } else {
                    question.began(request);
                }
            }
        });
        return question;
    }

    private interface Reader<T> {
        T read(int type, int ttl, byte[] records) throws UnknownHostException;
    }

    private static Answer<InetAddress> addresses(int type, int ttl, byte[] records) throws UnknownHostException {
        int size = type == libevent.DNS_IPv6_AAAA ? 16 : 4;
        List<InetAddress> addresses = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(records);
        while (bytes.remaining() >= size) {
            byte[] address = new byte[size];
            bytes.get(address);
            addresses.add(InetAddress.getByAddress(address));
        }
        return new Answer<>(List.copyOf(addresses), Duration.ofSeconds(ttl));
    }

    private static Answer<String> names(int type, int ttl, byte[] records) {
        List<String> names = List.of(new String(records, StandardCharsets.ISO_8859_1).split("\0"));
        return new Answer<>(names, Duration.ofSeconds(ttl));
    }

    /** A question on its way. */
    private class Question<T> extends CompletableFuture<T> implements Callbacks.DnsTarget {
        final String what;
        private final Reader<T> reader;
        long id;
        private long request; // 0 before it is asked and after the answer

        Question(String what, Reader<T> reader) {
            this.what = what;
            this.reader = reader;
        }

        /** Registers, unless there is no sense in asking any more. */
        boolean begin() {
            if (!Dns.this.isOpen()) {
                closed();
            }
            if (isDone()) {
                return false;
            }
            if (libevent.evdns_base_count_nameservers(dns) == 0 && needsServer()) {
                completeExceptionally(new DnsException(what, libevent.DNS_ERR_UNKNOWN, "there is no name server: add one"));
                return false;
            }
            id = loop.register(this);
            questions.add(this);
            return true;
        }

        boolean needsServer() {
            return true;
        }

        void began(long begun) {
            if (!isDone()) {
                request = begun;
            }
        }

        void end() {
            request = 0;
            loop.unregister(id);
            questions.remove(this);
        }

        void closed() {
            loop.unregister(id);
            request = 0;
            completeExceptionally(new DnsException(what, libevent.DNS_ERR_SHUTDOWN, "the resolver was closed"));
        }

        @Override
        public void onAnswer(int result, int type, int ttl, byte[] records) {
            end();
            try {
                if (result == libevent.DNS_ERR_NONE) {
                    complete(reader.read(type, ttl, records));
                } else {
                    completeExceptionally(new DnsException(what, result, libevent.evdns_err_to_string(result).getString()));
                }
            } catch (UnknownHostException e) { // an address of a wrong length, which libevent does not make
                completeExceptionally(e);
            }
        }

        @Override
        public void onAddresses(int result, byte[] addresses) {
            throw new IllegalStateException("not a lookup");
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled && Dns.this.isOpen()) {
                loop.submit(() -> {
                    if (request != 0 && Dns.this.isOpen()) {
                        cancel(request); // the answer comes all the same, and says so
                        request = 0;
                    }
                });
            }
            return cancelled;
        }

        void cancel(long asked) {
            libevent.evdns_cancel_request(dns, Addresses.of(asked, evdns_request::new));
        }
    }

    private final class Lookup extends Question<List<InetAddress>> {

        Lookup(String host) {
            super("addresses of " + host, null);
        }

        @Override
        boolean needsServer() {
            return false; // hosts files and digits may do
        }

        @Override
        public void onAddresses(int result, byte[] addresses) {
            end();
            if (result != 0) {
                completeExceptionally(new DnsException(what, result, libevent.evutil_gai_strerror(result).getString()));
                return;
            }
            List<InetAddress> found = new ArrayList<>();
            ByteBuffer bytes = ByteBuffer.wrap(addresses);
            try {
                while (bytes.hasRemaining()) {
                    byte[] address = new byte[bytes.get()];
                    bytes.get(address);
                    found.add(InetAddress.getByAddress(address));
                }
                complete(List.copyOf(found));
            } catch (UnknownHostException e) { // an address of a wrong length, which libevent does not make
                completeExceptionally(e);
            }
        }

        @Override
        void cancel(long asked) {
            libevent.evdns_getaddrinfo_cancel(Addresses.of(asked, evdns_getaddrinfo_request::new));
        }
    }

    @Override
    protected void release() {
        List<Question<?>> open = List.copyOf(questions);
        questions.clear();
        libevent.evdns_base_free(dns, 1); // libevent's own ends of the questions need a turn of the loop
        open.forEach(Question::closed);
    }
}
