# Print the name of each cluster of this major version whose configuration
# loads the library, whether it runs or not. The server is asked, since the
# setting may be in any of several files.
clusters_that_load_pg_topics() {
    command -v pg_lsclusters >/dev/null || return 0
    pg_lsclusters -h | while read -r version name _ _ owner _; do
        [ "$version" = "@PGVERSION@" ] || continue
        libraries=$(cd / && runuser -u "$owner" -- \
            /usr/lib/postgresql/@PGVERSION@/bin/postgres -C shared_preload_libraries \
            -D "/etc/postgresql/$version/$name" 2>/dev/null) || continue
        case ",$(printf '%s' "$libraries" | tr -d " \"'")," in
            *,pg_topics,* | */pg_topics,*) printf '%s/%s\n' "$version" "$name" ;;
        esac
    done
}
