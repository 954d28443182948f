package io.github.libevent4j.loading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.libevent4j.Libevent;
import io.github.libevent4j.support.Programs;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.DatagramChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.Loader;
import org.cyclonedx.Version;
import org.cyclonedx.model.Bom;
import org.cyclonedx.model.Component;
import org.cyclonedx.model.Patch;
import org.cyclonedx.parsers.JsonParser;
import org.junit.jupiter.api.Test;

/** What the jars have beside code: licences, a bill of materials, and what GraalVM's native-image has to be told. */
class NativeJarTest {

    private static final Path META_INF = Programs.NATIVE.resolve("META-INF");
    private static final Path MAIN =
        Path.of(URI.create(Libevent.class.getProtectionDomain().getCodeSource().getLocation().toString())).resolve("META-INF");

    @Test
    void licencesAreWhereTheCodeIs() throws Exception {
        for (Path licence : List.of(META_INF.resolve("LICENSE"), MAIN.resolve("LICENSE"))) {
            assertTrue(Files.readString(licence).contains("Apache License"), licence::toString);
        }
        assertTrue(Files.readString(META_INF.resolve("LICENSE.libevent")).contains("Niels Provos and Nick Mathewson"));
        assertTrue(Files.readString(META_INF.resolve("NOTICE")).contains("LICENSE.libevent"));
    }

    @Test
    void theBillOfMaterialsNamesWhatIsInside() throws Exception {
        Path file = META_INF.resolve("sbom").resolve("libevent4j.cdx.json");
        JsonParser parser = new JsonParser();
        assertEquals(List.of(), parser.validate(file.toFile(), Version.VERSION_15));
        Bom bom = parser.parse(file.toFile());

        String version = bom.getMetadata().getComponent().getVersion();
        assertTrue(Files.readString(Path.of("pom.xml")).contains("<version>" + version + "</version>"), version);
        assertEquals("pkg:maven/io.github.libevent4j/libevent4j@" + version + "?classifier=" + Loader.getPlatform() + "&type=jar",
            bom.getMetadata().getComponent().getPurl());

        Component libevent = component(bom, "libevent");
        assertEquals(Libevent.revision(), libevent.getVersion());
        List<String> fixes = new ArrayList<>();
        for (Patch patch : libevent.getPedigree().getPatches()) {
            patch.getResolves().forEach(issue -> fixes.add(issue.getId()));
        }
        assertEquals(Libevent.fixes(), fixes);
        assertEquals(Loader.getVersion("org.bytedeco", "javacpp"), component(bom, "javacpp").getVersion());
        assertEquals(2, bom.getComponents().size());
    }

    private static Component component(Bom bom, String name) {
        return bom.getComponents().stream().filter(each -> each.getName().equals(name)).findFirst().orElseThrow();
    }

    // ---- native-image ----

    /** All configurations of one kind, of both jars. */
    private static List<JsonNode> configurations(String name) throws IOException {
        List<JsonNode> all = new ArrayList<>();
        for (Path root : List.of(META_INF, MAIN)) {
            try (Stream<Path> files = Files.walk(root.resolve("native-image").resolve("io.github.libevent4j"))) {
                for (Path file : files.filter(each -> each.endsWith(name)).toList()) {
                    new JsonMapper().readTree(file.toFile()).forEach(all::add);
                }
            }
        }
        return all;
    }

    private static JsonNode of(List<JsonNode> configurations, String type) {
        return configurations.stream().filter(each -> each.get("name").asText().equals(type)).findFirst()
            .orElseThrow(() -> new AssertionError("nothing for " + type));
    }

    private static List<MatchResult> lookups(String pattern) throws IOException {
        List<MatchResult> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("native"))) {
            for (Path file : files.filter(each -> each.toString().endsWith(".c")).sorted().toList()) {
                Pattern.compile(pattern).matcher(Files.readString(file)).results().forEach(found::add);
            }
        }
        return found;
    }

    @Test
    void whatTheShimLooksUpIsRegistered() throws Exception {
        List<JsonNode> jni = configurations("jni-config.json");
        for (MatchResult found : lookups("FindClass\\(env, \"([^\"]*)\"\\)")) {
            of(jni, found.group(1).replace('/', '.'));
        }
        // Its only methods are those of Callbacks, in one table, and its only fields those of descriptors.
        assertEquals(1, lookups("->Get(Static)?MethodID\\(").size());
        assertTrue(of(jni, "io.github.libevent4j.internal.Callbacks").get("allDeclaredMethods").asBoolean());
        Set<String> fields = new TreeSet<>();
        lookups("->Get(Static)?FieldID\\(env, \\w+, \"(\\w+)\"").forEach(found -> fields.add(found.group(2)));
        assertEquals(Set.of("fd"), fields);
        assertEquals(2, lookups("->Get(Static)?FieldID\\(").size());
        List<Class<?>> holders = new ArrayList<>(List.of(FileDescriptor.class));
        Pipe pipe = Pipe.open();
        try (SocketChannel socket = SocketChannel.open(); ServerSocketChannel server = ServerSocketChannel.open();
             DatagramChannel datagrams = DatagramChannel.open(); FileChannel file = FileChannel.open(Path.of("pom.xml"));
             FileInputStream stream = new FileInputStream("pom.xml"); Pipe.SinkChannel sink = pipe.sink();
             Pipe.SourceChannel source = pipe.source()) {
            Stream.of(socket, server, datagrams, file, stream.getChannel(), sink, source).map(Object::getClass).forEach(holders::add);
        }
        for (Class<?> holder : holders) {
            assertEquals("fd", of(jni, holder.getName()).get("fields").get(0).get("name").asText(), holder::getName);
        }
    }

    @Test
    void whatTheBindingsLookUpIsRegistered() throws Exception {
        List<JsonNode> jni = configurations("jni-config.json");
        List<JsonNode> reflection = configurations("reflect-config.json");
        Path generated = Path.of(System.getProperty("libevent4j.facts"), "..", "..", "jni");
        for (String source : List.of("jnijavacpp.cpp", "jnilibevent.cpp")) {
            String names = Files.readString(generated.resolve(source)).replaceAll("(?s).*?JavaCPP_classNames\\[\\d+\\] = \\{(.*?)\\};.*", "$1");
            List<String> classes = Pattern.compile("\"(.*?)\"").matcher(names).results().map(found -> found.group(1).replace('/', '.')).toList();
            assertTrue(classes.size() > 15, source);
            classes.forEach(name -> of(jni, name));
        }
        // JavaCPP's loading asks for these by name, and makes one of the second.
        of(reflection, "io.github.libevent4j.global.libevent");
        assertTrue(of(reflection, "io.github.libevent4j.presets.libevent").get("allPublicConstructors").asBoolean());
    }

    @Test
    void whatIsReadFromTheJarsIsRegistered() throws Exception {
        List<String> patterns = configurations("resource-config.json").stream()
            .flatMap(resources -> StreamSupport.stream(resources.spliterator(), false)).map(each -> each.get("pattern").asText()).toList();
        List<String> names = new ArrayList<>(List.of("org/bytedeco/javacpp/properties/" + Loader.getPlatform() + ".properties"));
        for (String library : List.of("linux-x86_64/libjnilibevent.so", "macosx-arm64/libjnilibevent.dylib", "windows-x86_64/jnilibevent.dll")) {
            names.add("io/github/libevent4j/" + library);
            names.add("io/github/libevent4j/" + library + ".sha256");
        }
        for (String name : names) {
            assertTrue(patterns.stream().anyMatch(name::matches), name);
        }
        try (InputStream properties = Loader.class.getResourceAsStream("/" + names.get(0))) {
            assertTrue(properties.available() > 0, names.get(0));
        }
    }
}
