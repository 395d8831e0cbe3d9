# uses.awk: which file of a room uses which other file of it. Read by circles and layers.
#
# Reads all sources named. Prints, with tabs between,
#   file ROOM STEM LINES           for each stem: stem.c and stem.h are one file here
#   use ROOM STEM OTHER symbol X   STEM names X, a function or variable that OTHER defines
#   use ROOM STEM OTHER include X  STEM includes X, a header of OTHER
# A symbol is a function or a variable at file level that is not static, or an inline function of a
# header. Comments and strings don't count, nor do members ("p->name" and "p.name") and tags.

function room_of(path,    part, n) {
    n = split(path, part, "/")
    if (part[1] == "cmd") return n > 2 ? "cmd/" part[2] : "cmd"
    return part[2]
}

function stem_of(path) {
    sub(/.*\//, "", path)
    sub(/\.[ch]$/, "", path)
    return path
}

# The line without comments and strings. A comment may go on from the line before (in_comment).
function code(line,    out, at) {
    out = ""
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) return out
            line = substr(line, at + 2)
            in_comment = 0
        } else if (match(line, /\/\*|\/\/|"|'/)) {
            out = out substr(line, 1, RSTART - 1)
            at = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (at == "/*") in_comment = 1
            else if (at == "//") return out
            else {
                while (line != "" && substr(line, 1, 1) != at)
                    line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
                line = substr(line, 2)
                out = out "0"
            }
        } else {
            return out line
        }
    }
    return out
}

function define(name) {
    if (!is_static) {
        if (!((room, name) in owner)) owner[room, name] = stem
    } else {
        private[FILENAME, name] = 1
    }
}

FNR == 1 {
    room = room_of(FILENAME)
    stem = stem_of(FILENAME)
    in_comment = 0
    head = ""
    file[room, stem] += 0
}

{ file[room, stem]++ }

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    header[++headers] = room "\t" stem "\t" quoted[2]
    next
}

{
    line = code($0)
    if (line ~ /^[ \t]*#/) {
        if (line !~ /^[ \t]*#[ \t]*define/) next
        head = ""
    } else if ((line ~ /^[A-Za-z_]/ && line !~ /^[a-z_]+:/) || head != "") {
        # What stands at the left edge begins a definition, up to its first brace, "=" or ";".
        head = head " " line
        if (line ~ /^[{]/ || line ~ /[;{=]/) {
            gsub(/__attribute__ *\(\([^;{]*\)\)/, "", head)
            is_static = head ~ /^ *static/ && FILENAME ~ /\.c$/
            if (head ~ /^ *(typedef|extern)/) {
            } else if (match(head, /[A-Za-z_][A-Za-z0-9_]* *\(/) && head !~ /=.*\(/) {
                name = substr(head, RSTART, RLENGTH)
                sub(/ *\($/, "", name)
                if (head ~ /[{]/) define(name)
            } else if (FILENAME ~ /\.c$/) {
                name = head
                sub(/[;={].*/, "", name)
                gsub(/\[[^]]*\]/, "", name)
                sub(/ *$/, "", name)
                if (name !~ /^ *(struct|enum|union)( +[A-Za-z0-9_]+)?$/ &&
                    match(name, /[A-Za-z_][A-Za-z0-9_]*$/))
                    define(substr(name, RSTART))
            }
            head = ""
        }
    }
    gsub(/(->|\.) *[A-Za-z_][A-Za-z0-9_]*/, " ", line)
    # Prototypes of a header are no uses.
    if (FILENAME ~ /\.h$/ && line ~ /^[A-Za-z_]/ && line !~ /^static/) next
    gsub(/(struct|enum|union) +[A-Za-z_][A-Za-z0-9_]*/, " ", line) # a tag is no function
    gsub(/[^A-Za-z0-9_]+/, " ", line)
    n = split(line, word, " ")
    for (i = 1; i <= n; i++) if (word[i] ~ /^[a-z]/) said[FILENAME, word[i]] = 1
}

END {
    for (key in file) {
        split(key, k, SUBSEP)
        print "file\t" k[1] "\t" k[2] "\t" file[key]
    }
    for (key in said) {
        split(key, k, SUBSEP)
        r = room_of(k[1])
        s = stem_of(k[1])
        if ((r, k[2]) in owner && owner[r, k[2]] != s && !(key in private))
            print "use\t" r "\t" s "\t" owner[r, k[2]] "\tsymbol\t" k[2]
    }
    for (i = 1; i <= headers; i++) {
        split(header[i], k, "\t")
        path = k[3]
        sub(/^\.\.\//, "", path)
        if (path !~ /\//) path = k[1] ~ /^cmd/ ? k[1] "/" path : path
        else if (path !~ /^cmd\//) path = "lib/" path
        if (room_of(path) == k[1] && stem_of(path) != k[2])
            print "use\t" k[1] "\t" k[2] "\t" stem_of(path) "\tinclude\t" k[3]
    }
}
