package io.github.libevent4j;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import io.github.libevent4j.io.Tags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who may use whom. */
class ArchitectureTest {

    private static final String ROOT = "io.github.libevent4j";
    private static final String INTERNAL = ROOT + ".internal";
    private static final String PRESETS = ROOT + ".presets";
    private static final String LOADING = ROOT + ".loading";
    private static final String[] RAW = {ROOT + ".bindings", ROOT + ".global"};

    private static final JavaClasses CLASSES = new ClassFileImporter()
        .withImportOption(location -> !location.contains("/test-classes/")) // in whatever directory the build is
        .importPackages(ROOT);

    private static final DescribedPredicate<JavaClass> API = describe("the API", one -> one.getPackageName().startsWith(ROOT)
        && !resideInAnyPackage(INTERNAL, PRESETS, LOADING, RAW[0], RAW[1]).test(one));

    @Test
    void theRawLayerKnowsNothingAboveIt() {
        noClasses().that().resideInAnyPackage(RAW)
            .should().dependOnClassesThat(API.or(resideInAPackage(INTERNAL)))
            .check(CLASSES);
    }

    /** The raw layer has to be loaded when it is used alone. */
    @Test
    void loadingKnowsNothingOfWhatIsLoaded() {
        noClasses().that().resideInAPackage(LOADING)
            .should().dependOnClassesThat(API.or(resideInAnyPackage(INTERNAL, PRESETS, RAW[0], RAW[1])))
            .check(CLASSES);
    }

    @Test
    void theInsideKnowsNothingOfTheApi() {
        noClasses().that().resideInAPackage(INTERNAL)
            .should().dependOnClassesThat(API)
            .check(CLASSES);
    }

    @Test
    void theApisPackagesHaveNoCycles() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
        noClasses().that().resideInAPackage(ROOT)
            .should().dependOnClassesThat(API.and(DescribedPredicate.not(resideInAPackage(ROOT))))
            .check(CLASSES);
    }

    @Test
    void onlyWhatWrapsANativeObjectTouchesTheRawLayer() {
        noClasses().that(API).and(DescribedPredicate.not(wrapsANativeObject()))
            .should().dependOnClassesThat(resideInAnyPackage(RAW))
            .check(CLASSES);
    }

    /** Handles, and those few that have no lifetime: what is true of the whole library, and functions on a handle's object. */
    private static DescribedPredicate<JavaClass> wrapsANativeObject() {
        return describe("wrap a native object", one -> assignableTo(NativeHandle.class).test(outermost(one))
            || Set.of(Libevent.class, LibeventException.class, MonotonicClock.class, Tags.class).stream().anyMatch(one::isEquivalentTo));
    }

    private static JavaClass outermost(JavaClass one) {
        return one.getEnclosingClass().map(ArchitectureTest::outermost).orElse(one);
    }

    @Test
    void thePresetsAreForTheBuild() {
        classes().that().resideInAPackage(PRESETS)
            .should().onlyHaveDependentClassesThat(resideInAnyPackage(PRESETS, RAW[0], RAW[1])
                .or(describe("Native", one -> one.isEquivalentTo(Native.class))))
            .check(CLASSES);
    }

    @Test
    void onlyNativeHasNativeMethodsBesideTheRawLayer() {
        for (JavaClass one : CLASSES) {
            if (!resideInAnyPackage(RAW).test(one) && !one.isEquivalentTo(Native.class)) {
                one.getMethods().forEach(method -> assertEquals(Set.of(), Set.copyOf(method.getModifiers().stream()
                    .filter(JavaModifier.NATIVE::equals).toList()), method.getFullName()));
            }
        }
    }

    /** An error must stop something: it goes on, or to the loop that stops with it. */
    @Test
    void throwableIsCaughtWhereCEndsAndHandedOnElsewhere() throws IOException {
        Path sources = Path.of("src", "main", "java", "io", "github", "libevent4j");
        Pattern clause = Pattern.compile("catch \\((?:final )?[\\w |]*\\b(?:Throwable|Error)\\b[\\w |]* (\\w+)\\) \\{");
        Set<String> keepers = new TreeSet<>();
        Set<String> swallowers = new TreeSet<>();
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
                String name = sources.relativize(file).toString();
                String source = Files.readString(file);
                Matcher found = clause.matcher(source);
                while (found.find()) {
                    String block = block(source, found.end());
                    if (name.startsWith("internal")) {
                        keepers.add(name);
                    } else if (!block.contains("throw " + found.group(1) + ";") && !block.contains("caught(" + found.group(1) + ")")) {
                        swallowers.add(name + ": " + block.strip());
                    }
                }
            }
        }
        assertEquals(Set.of("internal/Callbacks.java", "internal/Loop.java", "internal/NativeLibrary.java"), keepers);
        assertEquals(Set.of(), swallowers);
    }

    /** From after an opening brace to the one that closes it. */
    private static String block(String source, int start) {
        int depth = 1;
        int end = start;
        while (depth > 0) {
            char c = source.charAt(end++);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        }
        return source.substring(start, end - 1);
    }
}
