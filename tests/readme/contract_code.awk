# SPDX-License-Identifier: BSL-1.0
# Functions that find the examples in the contracts of a header: after an empty line of ///, the lines that are
# indented by four spaces, as in Markdown. Text that is no C++ is between lines of ``` instead.

# find_code(lines, count, code): code[i] is true for each line of an example, empty ones between them included.
function find_code(lines, count, code,    i, fenced, inside) {
    for (i = 1; i <= count; i++) {
        if (lines[i] ~ /^ *\/\/\/ *```/) fenced = !fenced
        if (!inside) inside = !fenced && is_indented(lines[i]) && is_empty(lines[i - 1])
        else if (is_empty(lines[i])) inside = is_indented(lines[i + 1])
        else inside = is_indented(lines[i])
        code[i] = inside
    }
}

function is_empty(line) { return line ~ /^ *\/\/\/ *$/ }
function is_indented(line) { return line ~ /^ *\/\/\/     / }
