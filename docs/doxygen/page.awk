# SPDX-License-Identifier: BSL-1.0
# What Doxygen reads of a Markdown page: with links that lead somewhere in its output, and headings that links of
# other pages find. Line numbers stay as they are.

# Replaces each link to a file that PATTERN matches by one that begins with BEFORE and ends with AFTER.
function relink(line, pattern, before, after,    result, name) {
    while (match(line, pattern)) {
        name = substr(line, RSTART + 2, RLENGTH - 3)
        sub(/.*\//, "", name)
        if (after) {  # the name that Doxygen gives to a page
            gsub(/_/, "__", name)
            gsub(/\./, "_8", name)
        }
        result = result substr(line, 1, RSTART + 1) before name after ")"
        line = substr(line, RSTART + RLENGTH)
    }
    return result line
}

function page_of(path) {
    sub(/.*\//, "", path)
    sub(/\.md.*/, "", path)
    return tolower(path)
}

/^```/ {
    fenced = !fenced
    # Other languages than C++ would be taken for it.
    if (fenced && $0 != "```cpp") $0 = "```{.unparsed}"
}

!fenced {
    $0 = relink($0, "\\]\\((\\.\\./)?examples/[a-z_]+\\.cpp\\)", "@ref ")
    $0 = relink($0, "\\]\\((\\.\\./)?include/palette/[a-z_/]+\\.hpp\\)", "", "_source.html")
    gsub(/\]\(examples\)/, "](examples.html)")
    $0 = relink($0, "\\]\\([A-Za-z]+\\)", "./")  # LICENSE
    # It ends code at an apostrophe, unless there are two marks on each side.
    line = $0
    $0 = ""
    while (match(line, /`[^`]+`/)) {
        mark = index(substr(line, RSTART, RLENGTH), "'") ? "`" : ""
        $0 = $0 substr(line, 1, RSTART - 1) mark substr(line, RSTART, RLENGTH) mark
        line = substr(line, RSTART + RLENGTH)
    }
    $0 = $0 line
    # A part of another page.
    while (match($0, /\]\([a-z_\/]+\.md#[a-z-]+\)/)) {
        link = substr($0, RSTART + 2, RLENGTH - 3)
        $0 = substr($0, 1, RSTART + 1) "@ref " page_of(link) "-" substr(link, index(link, "#") + 1) ")" \
            substr($0, RSTART + RLENGTH)
    }
    if (/^##+ /) {
        id = tolower($0)
        sub(/^#+ /, "", id)
        gsub(/[^a-z0-9 -]/, "", id)
        gsub(/ /, "-", id)
        $0 = $0 " {#" page_of(FILENAME) "-" id "}"
    }
}

{ print }
