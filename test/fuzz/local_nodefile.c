/* fuzz: the `nodes` file that people write (lib/local/nodefile.c). */
#include "doubles/fuzz.h"
#include "local/nodefile.h"

static int read_file(const void *data, size_t len, struct nodefile_entry **list, size_t *count)
{
    struct fuzz_file f = fuzz_file_make(data, len);
    struct rusm_why why = { 0 };
    int error = nodefile_read(f.path, list, count, &why);

    must(error == 0 || error == RUSM_EMALFORMED);
    must(error == 0 ? why.text[0] == '\0' : why.text[0] != '\0' && !*list && *count == 0);
    fuzz_line_ok(why.text, strlen(why.text));
    close(f.fd);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct nodefile_entry *list, *again;
    size_t count, count_again, text_len;
    char *text;

    if (read_file(data, len, &list, &count) != 0) {
        return 0;
    }
    FILE *out = open_memstream(&text, &text_len);
    must(out);
    for (size_t i = 0; i < count; i++) {
        must(id_node_name_ok(list[i].name, strlen(list[i].name)));
        must(id_host_port_ok(list[i].address, strlen(list[i].address)));
        fprintf(out, "%s %s\n", list[i].name, list[i].address);
    }
    fclose(out);
    must(read_file(text, text_len, &again, &count_again) == 0 && count_again == count);
    for (size_t i = 0; i < count; i++) {
        must(strcmp(list[i].name, again[i].name) == 0);
        must(strcmp(list[i].address, again[i].address) == 0);
    }
    free(text);
    free(list);
    free(again);
    return 0;
}
