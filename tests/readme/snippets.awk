# SPDX-License-Identifier: BSL-1.0
# awk -f contract_code.awk -f snippets.awk -v environment=HEADER [-v programs=1] FILE...
#
# Makes one file to compile of the C++ in Markdown pages, which is between "```cpp" and "```", and in the contracts of
# headers. A block is the body of a coroutine, or a class or function; what it needs is declared in HEADER, beside what
# it includes itself. With programs=1 it is the blocks with a main() instead, as they are. The compiler speaks of lines
# of the page.

FNR == 1 { end_page() }
{ lines[++count] = $0 }

END {
    end_page()
    for (i = 1; i <= blocks; i++) {
        if (is_program[i] != programs) continue
        found = 1
        print_includes(i)
    }
    if (!found) fail("no code in " FILENAME " and what comes before")
    if (!programs) print "#include \"" environment "\""
    for (i = 1; i <= blocks; i++) {
        if (is_program[i] != programs) continue
        if (programs) print at[i] text[i]
        else if (text[i] ~ /^\n*(class|struct|template|boost::asio::awaitable)/)
            print "namespace snippet_" i " {\n" at[i] text[i] "}"
        else print "namespace snippet_" i " {\nPALETTE_KEYS_FRAGMENT {\n{\n" at[i] text[i] "}\nco_return;\n}\n}"
    }
}

function end_page(    i, page, fenced) {
    page = last_page
    last_page = FILENAME
    if (page ~ /\.md$/) {
        for (i = 1; i <= count; i++) {
            if (lines[i] == "```cpp") begin_block(page, i + 1)
            else if (lines[i] ~ /^```/) inside = 0
            else if (inside) add_line(lines[i])
        }
        if (inside) fail(page ": the last block of code has no end")
    } else if (count) {
        find_code(lines, count, code)
        for (i = 1; i <= count; i++) {
            if (!code[i]) continue
            if (!code[i - 1]) begin_block(page, i)
            sub(/^ *\/\/\/ */, is_empty(lines[i]) ? "" : indent_of(lines[i]), lines[i])
            add_line(lines[i])
        }
        inside = 0
    }
    split("", lines)
    split("", code)
    count = 0
}

# What stands before the code in a line of ///, beyond the four spaces that mark it.
function indent_of(line) {
    sub(/^ *\/\/\/     /, "", line)
    match(line, /^ */)
    return substr(line, 1, RLENGTH)
}

function begin_block(page, line) {
    inside = 1
    blocks++
    is_program[blocks] = 0
    at[blocks] = "#line " line " \"" page "\"\n"
}

function add_line(line) {
    if (line ~ /^int main\(/) is_program[blocks] = 1
    if (line ~ /^#include/) {
        includes[blocks] = includes[blocks] line "\n"
        line = ""
    }
    text[blocks] = text[blocks] line "\n"
}

function print_includes(block,    n, i, each) {
    n = split(includes[block], each, "\n")
    for (i = 1; i < n; i++) if (!seen[each[i]]++) print each[i]
}

function fail(words) {
    print words >"/dev/stderr"
    exit 1
}
