# SPDX-License-Identifier: BSL-1.0
# awk -f contract_code.awk -f snippets.awk -v environment=HEADER [-v programs=1] FILE...
#
# Makes one file to compile of the C++ in Markdown pages, which is between "```cpp" and "```", and in the contracts of
# headers. A block is the body of a coroutine, or a class or function; what it needs is declared in HEADER, beside what
# it includes itself. With programs=1 it is the blocks with a main() instead, as they are. The compiler speaks of lines
# of the page.
#
# The classes and functions of a page are in a namespace of its name, such as page_incidents. A body is fragment() in a
# namespace of the page and the heading above it, such as page_readme_my_own_ca, or ..._2 if it is the second one there.

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
        else if (text[i] ~ /^\n*(\/\/[^\n]*\n)*(class|struct|template|boost::asio::awaitable)/)
            print "namespace " page_name[i] " {\n" at[i] text[i] "}"
        else print "namespace " place_name[i] " {\nPALETTE_KEYS_FRAGMENT {\n{\n" at[i] text[i] "}\nco_return;\n}\n}"
    }
}

function end_page(    i, page, heading) {
    page = last_page
    last_page = FILENAME
    if (page ~ /\.md$/) {
        for (i = 1; i <= count; i++) {
            if (lines[i] == "```cpp") {
                begin_block(page, i + 1)
                name_block(page, heading)
            } else if (!inside && lines[i] ~ /^#+ /) heading = lines[i]
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
    page_name[blocks] = place_name[blocks] = "snippet_" blocks
}

function name_block(page, heading,    place, number) {
    sub(/.*\//, "", page)
    sub(/\.md$/, "", page)
    page_name[blocks] = "page" slug(page)
    place = page_name[blocks] slug(heading)
    number = ++blocks_at[place]
    place_name[blocks] = place (number > 1 ? "_" number : "")
}

function slug(words) {
    words = "_" tolower(words)
    gsub(/[^a-z0-9]+/, "_", words)
    sub(/_$/, "", words)
    return words
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
