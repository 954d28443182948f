#!/usr/bin/env perl
# Writes down what libevent's headers say, by a preprocessor's and a compiler's word, for the tests to compare the Java bindings with.
# JavaCPP has no part in it.
#
#   facts.pl <cppbuild/platform>
#
# facts/functions.txt  each function that a header declares and a library defines: name, header
# facts/constants.txt  each constant: name, value
# facts/structs.txt    each structure: name, size; and each of its members: name.member, offset
use strict;
use warnings;

my ($out) = @ARGV;
my $facts = "$out/facts";
my @cxx = ('g++', "-I$out/include"); # C++, as the bindings are
mkdir $facts;

# The headers, those last that need others. TLS has a library of its own, rpc_compat.h nothing but macros.
my @headers = map { s!.*/!!r } glob "$out/include/event2/*.h";
@headers = sort { ($a =~ /compat/) <=> ($b =~ /compat/) || $a cmp $b }
    grep { !/^(event-config|visibility|bufferevent_ssl|rpc_compat)\.h$/ } @headers;
my %public = map { $_ => 1 } @headers;
my $includes = join '', map { "#include <event2/$_>\n" } @headers;

# The headers' lines as the preprocessor leaves them, each with its header.
sub preprocess {
    my (@options) = @_;
    write_file("$facts/headers.cpp", $includes);
    open my $pipe, '-|', @cxx, '-E', @options, "$facts/headers.cpp" or die "no preprocessor: $!\n";
    my ($header, @lines) = ('');
    while (<$pipe>) {
        if (/^# \d+ "(?:.*\/event2\/)?([^"]*)"/) { $header = $public{$1} ? $1 : ''; }
        elsif ($header) { push @lines, [$header, $_]; }
    }
    close $pipe or die "the headers cannot be preprocessed\n";
    return @lines;
}

sub write_file {
    my ($path, @text) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file @text;
    close $file or die "$path: $!\n";
}

# What a program prints that makes the statements $_[0].
sub run {
    my ($statements) = @_;
    write_file("$facts/print.cpp", "#include <stddef.h>\n#include <stdio.h>\n#include <netdb.h>\n$includes", <<'END', "$statements}\n");
static void print(const char *name, const char *value) { printf("%s\t%s\n", name, value); }
template <class T> void print(const char *name, T value) { printf("%s\t%lld\n", name, (long long) value); }
int main() {
END
    system(@cxx, '-w', '-o', "$facts/print", "$facts/print.cpp") == 0 or die "what is to be printed does not compile\n";
    return `$facts/print`;
}

my @lines = preprocess();
my $text = join '', map { $_->[1] } @lines;

# ---- functions ----

# By the archives' indexes: what is in them may be another compiler's intermediate code.
my %defined = map { /^(\w+) in / ? ($1 => 1) : () } `nm --print-armap $out/lib/libevent.a $out/lib/libevent_pthreads.a 2>/dev/null`;
my %functions;
for (@lines) {
    my ($header, $line) = @$_;
    while ($line =~ /\b(\w+)\s*\(/g) { $functions{$1} //= $header if $defined{$1}; }
}
write_file("$facts/functions.txt", map { "$_\t$functions{$_}\n" } sort keys %functions);

# ---- constants ----

# A macro in capitals that stands for something, and what enums name.
my @constants = map { $_->[1] =~ /^#define (_?[A-Z]\w*) \S/ ? $1 : () } preprocess('-dD');
while ($text =~ /\benum\s+\w+\s*\{(.*?)\}/gs) {
    push @constants, map { /^\s*(\w+)/ ? $1 : () } split /,/, $1;
}
write_file("$facts/constants.txt", run(join '', map { "print(\"$_\", $_);\n" } sort @constants));

# ---- structures ----

my $structs = '';
while ($text =~ /\bstruct\s+(\w+)\s*(\{(?:[^{}]++|(?2))*\})/gs) {
    my ($name, $members) = ($1, substr $2, 1, -1);
    $structs .= "print(\"$name\", sizeof(struct $name));\n";
    1 while $members =~ s/\{[^{}]*\}//g;
    for (split /;/, $members) {
        next if /:/ || !(/\(\*(\w+)\)/ || /(\w+)\s*(?:\[\w*\]\s*)?$/); # no member, or bits of one
        $structs .= "print(\"$name.$1\", offsetof(struct $name, $1));\n";
    }
}
write_file("$facts/structs.txt", run($structs));

unlink "$facts/headers.cpp", "$facts/print.cpp", "$facts/print";
