package io.github.libevent4j.dns;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The options that libevent knows. It takes any other name in silence, and for a number "", what is negative, or what is too large for
 * it.
 */
enum Option {
    NDOTS("ndots", count(0, 255)),
    TIMEOUT("timeout", seconds()),
    GETADDRINFO_ALLOW_SKEW("getaddrinfo-allow-skew", seconds()),
    MAX_TIMEOUTS("max-timeouts", count(1, 255)),
    MAX_INFLIGHT("max-inflight", count(1, 65000)),
    ATTEMPTS("attempts", count(1, 255)),
    RANDOMIZE_CASE("randomize-case", count(0, 1)),
    BIND_TO("bind-to", new Values("an address, in brackets where it is IPv6 with a port",
        value -> value.matches("[0-9.]+(:\\d+)?|\\[[0-9A-Fa-f:.]+(%\\w+)?](:\\d+)?|[0-9A-Fa-f:.]+(%\\w+)?"))),
    INITIAL_PROBE_TIMEOUT("initial-probe-timeout", seconds()),
    SO_RCVBUF("so-rcvbuf", count(0, Integer.MAX_VALUE)),
    SO_SNDBUF("so-sndbuf", count(0, Integer.MAX_VALUE));

    private record Values(String description, Predicate<String> test) {
    }

    final String key;
    private final Values values;

    Option(String key, Values values) {
        this.key = key;
        this.values = values;
    }

    private static Values count(int min, int max) {
        return new Values("a number from " + min + " to " + max,
            value -> value.matches("\\d{1,10}") && Long.parseLong(value) >= min && Long.parseLong(value) <= max);
    }

    private static Values seconds() {
        return new Values("0.001 to 86400 seconds",
            value -> value.matches("\\d{1,5}(\\.\\d{1,6})?") && Double.parseDouble(value) >= 0.001 && Double.parseDouble(value) <= 86400);
    }

    /** The option of this name, with or without the colon that libevent's names end with. */
    static Option of(String name) {
        Objects.requireNonNull(name, "name");
        for (Option option : values()) {
            if (name.equals(option.key) || name.equals(option.key + ":")) {
                return option;
            }
        }
        throw new IllegalArgumentException("there is no option " + name + ", but "
            + Arrays.stream(values()).map(option -> option.key).collect(Collectors.joining(", ")));
    }

    void check(String value) {
        Objects.requireNonNull(value, "value");
        if (!values.test.test(value)) {
            throw refused(value);
        }
    }

    IllegalArgumentException refused(String value) {
        return new IllegalArgumentException("the option " + key + " is " + values.description + ", not '" + value + "'");
    }
}
