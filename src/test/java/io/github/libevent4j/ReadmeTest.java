package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every Java snippet of README.md is a program that compiles, and every file that it links to is there. */
class ReadmeTest {

    private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("public class (\\w+)");
    private static final Pattern LINK = Pattern.compile("\\]\\((?!http)([^)#]+)");

    @Test
    void everySnippetCompiles(@TempDir Path classes) throws Exception {
        List<JavaFileObject> sources = new ArrayList<>();
        Matcher snippets = SNIPPET.matcher(Files.readString(Path.of("README.md")));
        while (snippets.find()) {
            sources.add(source(snippets.group(1)));
        }
        assertFalse(sources.isEmpty(), "README.md has Java snippets");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<String> options = List.of("-Xlint:all,-path,-processing", "-Werror", "-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
        assertTrue(compiler.getTask(messages, null, null, options, null, sources).call(), messages::toString);
    }

    private static JavaFileObject source(String code) {
        Matcher name = CLASS.matcher(code);
        assertTrue(name.find(), "a snippet is a whole program: " + code);
        return new SimpleJavaFileObject(URI.create("string:///" + name.group(1) + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return code;
            }
        };
    }

    @Test
    void everyLinkedFileExists() throws Exception {
        Matcher links = LINK.matcher(Files.readString(Path.of("README.md")));
        while (links.find()) {
            assertTrue(Files.exists(Path.of(links.group(1))), links.group(1));
        }
    }
}
