# SPDX-License-Identifier: BSL-1.0
# With tests/readme/contract_code.awk: what Doxygen reads of a header. Line numbers stay as they are, but for the one
# header that stands for another.

FILENAME ~ /palette\/pending_create\.hpp$/ && /^#include <palette\/detail\/pending_create\.hpp>/ {
    while ((getline < "include/palette/detail/pending_create.hpp") > 0) lines[++count] = $0
    next
}

{ lines[++count] = $0 }

END {
    find_code(lines, count, code)
    for (i = 1; i <= count; i++) {
        line = lines[i]
        # Its parser does not know inline namespaces of this form, nor show what a constraint asks for.
        sub(/^namespace palette::inline PALETTE_KEYS_ABI/, "namespace palette", line)
        if (match(line, /detail::TokenFor<[A-Za-z]+> Token/)) {
            type = substr(line, RSTART + 17, RLENGTH - 24)
            line = substr(line, 1, RSTART - 1) "completion_token_for<void(Result<" type ">)> Token" \
                substr(line, RSTART + RLENGTH)
        }
        # It shows code in colours, and with links, where it is told that it is code.
        if (code[i + 1] && !code[i]) line = line " @code{.cpp}"
        if (code[i] && !code[i + 1]) {
            if (is_empty(lines[i + 1])) lines[i + 1] = lines[i + 1] " @endcode"
            else line = line " @endcode"
        }
        if (line ~ /^ *\/\/\/ *```$/ && (fenced = !fenced)) line = line "{.unparsed}"
        print line
    }
}
