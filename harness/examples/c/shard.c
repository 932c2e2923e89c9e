/*
 * A sharded chain in C, as a process that shardproof can check. It needs a compiler, and nothing else.
 *
 *     cc -O2 -o shard harness/examples/c/shard.c
 *     shardproof fuzz --adapter 'cmd:./shard'
 *
 * All shards live in this one process, so nothing needs to be signed: a header is right if a shard has
 * produced it, and final if consensus has said so; evidence is the place of a receipt in the list that a
 * header commits to. Bytes stay what they are on the wire, hexadecimal text, and are compared as such.
 *
 * From above: a reader of JSON, the shards, the verbs, and the loop. The protocol is harness/PROTOCOL.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON: what a line says, as a tree that lives until the next line ------------------------------- */

enum kind { NOTHING, NUMBER, TEXT, LIST, OBJECT };

struct json {
    enum kind kind;
    long number;
    const char *text;       /* of a TEXT */
    const char *name;       /* under which it stands in an OBJECT */
    struct json *first;     /* in a LIST or an OBJECT */
    struct json *next;
};

static struct json *nodes;
static size_t used, room;
static char *at;
static int broken;

static void space(void) { while (*at == ' ' || *at == '\t' || *at == '\r') at++; }

/* Unescapes in place. Names and digits are plain; what stands behind \u is of no use here. */
static const char *text(void)
{
    char *start = ++at, *to = start;
    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) at++;
        *to++ = *at;
    }
    if (*at != '"') broken = 1; else at++;
    *to = 0;
    return start;
}

static struct json *value(int depth)
{
    if (used == room || depth > 32) { broken = 1; return &nodes[0]; }
    struct json *made = &nodes[used++], **last = &made->first;
    memset(made, 0, sizeof *made);
    space();
    if (*at == '"') {
        made->kind = TEXT;
        made->text = text();
    } else if (*at == '[' || *at == '{') {
        char end = *at == '[' ? ']' : '}';
        made->kind = *at++ == '[' ? LIST : OBJECT;
        for (space(); *at != end && !broken; space()) {
            const char *name = NULL;
            if (made->kind == OBJECT) {
                if (*at != '"') { broken = 1; break; }
                name = text();
                space();
                if (*at++ != ':') { broken = 1; break; }
            }
            struct json *inside = value(depth + 1);
            inside->name = name;
            *last = inside;
            last = &inside->next;
            space();
            if (*at == ',') at++;
            else if (*at != end) broken = 1;
        }
        if (*at) at++;
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
        made->kind = NUMBER;
        made->number = strtol(at, &at, 10);
    } else {
        for (size_t i = 0; i < 3; i++) {
            static const char *const words[] = {"null", "true", "false"};
            if (!strncmp(at, words[i], strlen(words[i]))) { at += strlen(words[i]); return made; }
        }
        broken = 1;
    }
    return made;
}

static const struct json *field(const struct json *of, const char *name)
{
    static const struct json none;
    const struct json *x = of->first;
    while (x && strcmp(x->name ? x->name : "", name)) x = x->next;
    return x ? x : &none;
}

static const char *text_of(const struct json *of, const char *name)
{
    const char *found = field(of, name)->text;
    return found ? found : "";
}

/* ---- shards ----------------------------------------------------------------------------------------- */

struct receipt { char *bytes; int source, destination; const char *payload; int consumed; };
struct block { char *bytes; int shard, height, commits, final; unsigned char *learned; };
struct shard { char *name; struct receipt **emitted; int emissions; struct receipt **executed; int effects; int height; };

static struct shard *shards;
static int shard_count;
static struct block *blocks;
static int block_count;

static void *grown(void *old, size_t count, size_t size)
{
    /* Twice as large whenever the count is a power of two. */
    if (count & (count - 1)) return old;
    void *more = realloc(old, (count ? 2 * count : 1) * size);
    if (!more) abort();
    return more;
}

static char *copy(const char *text)
{
    char *made = malloc(strlen(text) + 1);
    if (!made) abort();
    return strcpy(made, text);
}

static int numbered(const char *name)
{
    int i = 0;
    while (i < shard_count && strcmp(shards[i].name, name)) i++;
    return i < shard_count ? i : -1;
}

static struct block *block_of(const char *header)
{
    for (int i = 0; i < block_count; i++)
        if (!strcmp(blocks[i].bytes, header)) return &blocks[i];
    return NULL;
}

/* The place of a receipt in what a block commits to; -1 if it is not there. */
static int place(const struct block *block, const char *receipt)
{
    for (int i = 0; i < block->commits; i++)
        if (!strcmp(shards[block->shard].emitted[i]->bytes, receipt)) return i;
    return -1;
}

static void clear(void)
{
    for (int i = 0; i < shard_count; i++) {
        for (int j = 0; j < shards[i].emissions; j++) {
            free(shards[i].emitted[j]->bytes);
            free(shards[i].emitted[j]);
        }
        free(shards[i].name);
        free(shards[i].emitted);
        free(shards[i].executed);
    }
    for (int i = 0; i < block_count; i++) {
        free(blocks[i].bytes);
        free(blocks[i].learned);
    }
    free(shards);
    free(blocks);
    shards = NULL;
    blocks = NULL;
    shard_count = block_count = 0;
}

/* ---- the verbs: each prints its answer, without the id ----------------------------------------------- */

static void ok(void) { fputs("\"ok\":null", stdout); }
static void ok_bytes(const char *bytes) { printf("\"ok\":\"%s\"", bytes); }
static void refused(const char *reason) { printf("\"refused\":\"%s\"", reason); }

static void do_open(const struct json *asked)
{
    clear();
    for (const struct json *name = field(field(asked, "topology"), "shards")->first; name; name = name->next) {
        shards = grown(shards, (size_t)shard_count, sizeof *shards);
        memset(&shards[shard_count], 0, sizeof *shards);
        shards[shard_count++].name = copy(name->text ? name->text : "");
    }
    ok();
}

static void do_close(const struct json *asked)
{
    (void)asked;
    clear();
    ok();
}

static void do_emit(const struct json *asked)
{
    int source = numbered(text_of(asked, "source")), destination = numbered(text_of(asked, "destination"));
    const char *payload = text_of(asked, "payload");
    if (source < 0 || destination < 0) { refused("no such shard"); return; }
    struct shard *from = &shards[source];
    struct receipt *made = calloc(1, sizeof *made);
    if (!made || !(made->bytes = malloc(17 + strlen(payload)))) abort();
    sprintf(made->bytes, "%04x%04x%08x%s", source, destination, from->emissions, payload);
    made->source = source;
    made->destination = destination;
    made->payload = made->bytes + 16;
    from->emitted = grown(from->emitted, (size_t)from->emissions, sizeof *from->emitted);
    from->emitted[from->emissions++] = made;
    ok_bytes(made->bytes);
}

static void do_produce(const struct json *asked)
{
    int shard = numbered(text_of(asked, "shard"));
    char bytes[32];
    if (shard < 0) { refused("no such shard"); return; }
    blocks = grown(blocks, (size_t)block_count, sizeof *blocks);
    struct block *made = &blocks[block_count++];
    made->shard = shard;
    made->height = ++shards[shard].height;
    made->commits = shards[shard].emissions;
    made->final = 0;
    made->learned = calloc((size_t)shard_count, 1);
    sprintf(bytes, "%04x%08x%08x", shard, made->height, made->commits);
    made->bytes = copy(bytes);
    ok_bytes(made->bytes);
}

static void do_finalise(const struct json *asked)
{
    struct block *block = block_of(text_of(asked, "header"));
    if (!block || block->final) { refused("not produced, or already final"); return; }
    block->final = 1;
    ok_bytes(block->bytes);
}

static void do_learn(const struct json *asked)
{
    int shard = numbered(text_of(asked, "shard"));
    struct block *block = block_of(text_of(asked, "header"));
    if (shard < 0 || !block || !block->final) { refused("untrusted header"); return; }
    block->learned[shard] = 1;
    ok();
}

static void do_prove(const struct json *asked)
{
    const struct block *block = block_of(text_of(asked, "header"));
    int found = block ? place(block, text_of(asked, "receipt")) : -1;
    if (found < 0) { refused("not committed to"); return; }
    printf("\"ok\":\"%08x\"", found);
}

static void do_deliver(const struct json *asked)
{
    const struct json *delivery = field(asked, "delivery");
    int shard = numbered(text_of(delivery, "destination"));
    const struct block *block = block_of(text_of(delivery, "header"));
    const char *receipt = text_of(delivery, "receipt"), *evidence = text_of(delivery, "evidence");
    if (shard < 0 || !block || !block->learned[shard]) { refused("untrusted header"); return; }
    int found = strlen(evidence) == 8 ? place(block, receipt) : -1;
    if (found < 0 || strtol(evidence, NULL, 16) != found) { refused("unproven"); return; }
    struct receipt *shown = shards[block->shard].emitted[found];
    if (shown->destination != shard) { refused("wrong destination"); return; }
    if (shown->consumed) { refused("consumed"); return; }
    shown->consumed = 1;
    struct shard *to = &shards[shard];
    to->executed = grown(to->executed, (size_t)to->effects, sizeof *to->executed);
    to->executed[to->effects++] = shown;
    ok();
}

static void do_executed(const struct json *asked)
{
    int shard = numbered(text_of(asked, "shard"));
    fputs("\"ok\":[", stdout);
    for (long i = field(asked, "since")->number, first = i; shard >= 0 && i < shards[shard].effects; i++) {
        const struct receipt *x = shards[shard].executed[i];
        printf("%s{\"payload\":\"%s\",\"source\":\"%s\"}", i > first ? "," : "", x->payload, shards[x->source].name);
    }
    putchar(']');
}

static void do_hello(const struct json *asked)
{
    (void)asked;
    fputs("\"ok\":{\"protocol\":1,\"name\":\"c\",\"version\":\"1\",\"batches\":true,\"verbs\":["
          "\"open\",\"close\",\"emit\",\"produce\",\"prove\",\"deliver\",\"executed\",\"learn\",\"finalise\"]}",
          stdout);
}

static const struct { const char *name; void (*run)(const struct json *); } VERBS[] = {
    {"hello", do_hello},     {"open", do_open},       {"close", do_close}, {"emit", do_emit},
    {"produce", do_produce}, {"finalise", do_finalise}, {"learn", do_learn}, {"prove", do_prove},
    {"deliver", do_deliver}, {"executed", do_executed},
};

/* ---- the loop ---------------------------------------------------------------------------------------- */

static void answer(const struct json *asked)
{
    const char *verb = text_of(asked, "verb");
    printf("{\"id\":%ld,", field(asked, "id")->number);
    size_t i = 0;
    while (i < sizeof VERBS / sizeof *VERBS && strcmp(VERBS[i].name, verb)) i++;
    if (i < sizeof VERBS / sizeof *VERBS) VERBS[i].run(asked);
    else fputs("\"error\":\"unknown-verb\",\"message\":\"\"", stdout);
    putchar('}');
}

int main(void)
{
    static char line[(4 << 20) + 2];
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    room = 1 << 16;
    nodes = malloc(room * sizeof *nodes);
    while (nodes && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        at = line;
        used = 0;
        broken = 0;
        const struct json *asked = value(0);
        if (broken) {
            fputs("{\"id\":null,\"error\":\"malformed\",\"message\":\"\"}", stdout);
        } else if (asked->kind == LIST) {
            /* Several requests in one line are answered in one line, in their order. */
            putchar('[');
            for (const struct json *one = asked->first; one; one = one->next) {
                if (one != asked->first) putchar(',');
                answer(one);
            }
            putchar(']');
        } else {
            answer(asked);
        }
        putchar('\n');
        fflush(stdout);
    }
    clear();
    free(nodes);
    return 0;
}
