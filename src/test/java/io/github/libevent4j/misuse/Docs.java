package io.github.libevent4j.misuse;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.PackageTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** What the sources say: names of parameters, and documentation. */
final class Docs {

    private static final Path SOURCES = Path.of("src", "main", "java");
    private static final Map<String, Member> MEMBERS = new HashMap<>();
    private static final Map<String, String> COMMENTS = new HashMap<>(); // of classes and packages

    static {
        try {
            read();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A method's or constructor's parameters, and its comment. */
    record Member(List<String> names, String comment) {
    }

    private Docs() {
    }

    static Member of(Api.Call call) {
        Executable code = call.code();
        String key = code.getDeclaringClass().getName().replace('$', '.') + key(code instanceof Constructor ? "<init>"
            : code.getName(), Arrays.stream(code.getParameterTypes()).map(Class::getSimpleName).toList());
        Member found = MEMBERS.get(key);
        if (found == null && call.owner().isRecord()) { // what the compiler wrote
            return new Member(Arrays.stream(call.owner().getRecordComponents()).map(component -> component.getName()).toList(), "");
        }
        if (found == null) {
            throw new AssertionError(key + " is not in the sources");
        }
        return found;
    }

    /** Whether the method's own documentation, or that of its class, says this. */
    static boolean says(Api.Call call, String regex) {
        return find(of(call).comment(), regex) || saysOfClass(call.owner(), regex);
    }

    private static boolean saysOfClass(Class<?> type, String regex) {
        return find(COMMENTS.getOrDefault(type.getName().replace('$', '.'), ""), regex);
    }

    private static boolean find(String text, String regex) {
        return Pattern.compile(regex).matcher(text.replaceAll("\\s+", " ")).find();
    }

    private static String key(String name, List<String> types) {
        return "#" + name + types.stream().collect(Collectors.joining(",", "(", ")"));
    }

    private static void read() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<Path> files;
        try (Stream<Path> all = Files.walk(SOURCES)) {
            files = all.filter(file -> file.toString().endsWith(".java") && !file.endsWith("module-info.java")).toList();
        }
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(null, manager, null, List.of("-proc:none"), null,
                manager.getJavaFileObjectsFromPaths(files));
            DocTrees trees = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new Reader(trees, unit.getPackageName().toString()).scan(unit, null);
            }
        }
    }

    private static final class Reader extends TreePathScanner<Void, Void> {
        private final DocTrees trees;
        private String at;

        Reader(DocTrees trees, String at) {
            this.trees = trees;
            this.at = at;
        }

        private String comment() {
            String comment = trees.getDocComment(getCurrentPath());
            return comment == null ? "" : comment;
        }

        @Override
        public Void visitPackage(PackageTree tree, Void nothing) {
            if (!comment().isEmpty()) {
                COMMENTS.put(at, comment());
            }
            return super.visitPackage(tree, nothing);
        }

        @Override
        public Void visitClass(ClassTree tree, Void nothing) {
            String outer = at;
            at += "." + tree.getSimpleName();
            COMMENTS.put(at, comment());
            super.visitClass(tree, nothing);
            at = outer;
            return null;
        }

        @Override
        public Void visitMethod(MethodTree tree, Void nothing) {
            List<? extends VariableTree> parameters = tree.getParameters();
            MEMBERS.put(at + key(tree.getName().toString(), parameters.stream().map(each -> simple(each.getType())).toList()),
                new Member(parameters.stream().map(each -> each.getName().toString()).toList(), comment()));
            return null;
        }

        private static String simple(Tree type) {
            String erased = type.toString().replaceAll("<.*>", "").replace("...", "[]");
            return erased.substring(erased.lastIndexOf('.') + 1);
        }
    }
}
