/* Searches over packed worlds. What is particular to a protocol at a scope is generated in place of
   the line GENERATED: WORDS, FANOUT, WITNESSES, SITES, and the functions named there.

   The queue holds every world, in breadth-first order, so a shortest trace is found by scanning it
   backwards, level by level, and no world stores where it came from. The table says what is in the
   queue. A table of single words holds the worlds themselves, each plus one; any other table holds
   positions in the queue, plus one, with some bits of the hash, which save most looks at the queue.

   Successors are made for many worlds at a time and the places where they belong are fetched into
   the cache before the first of them is looked up: waiting for memory is most of the work. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

/*GENERATED*/

enum { COMPLETE, VIOLATED, ENOUGH_WORLDS, ENOUGH_MEMORY, ENOUGH_DEPTH, STOPPED };

/* Successors that are made before the first of them is looked up. */
#define BATCH 256
/* Levels that can be told apart. */
#define LEVELS (1ull << 22)
/* The first table: large enough that small searches never grow it. */
#define FIRST_LG 14
#define THREADS_MAX 64
/* Worlds that a thread takes at once, and positions that it is given at once. */
#define CHUNK 64
#define BLOCK 64
/* Nanoseconds between two reports of progress. */
#define REPORT_NS 100000000ll

typedef int Progress(u64 worlds, u64 transitions, u64 depth, u64 cut, u64 frontier);

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELEASE)
#define TAKE(x, n) __atomic_fetch_add(&(x), n, __ATOMIC_RELAXED)

typedef struct {
  /* What is asked for. */
  u64 worlds_max, depth_max, memory_max, threads;
  Progress *progress;
  /* What came of it. */
  u64 worlds, transitions, depth, cut;
  /* Worlds whose successors are all in the queue. */
  u64 expanded;
  /* Of a search that ended at a step: the position of the world before it, and which of its successors. */
  u64 source, ordinal;
  u64 status, full, bytes;
  u8 seen[WITNESSES + 1], unread[SITES + 1];
  /* What is kept until `forget`. */
  S *queue;
  u64 *level, queue_bytes, level_bytes;
} Run;

static inline u64 hash(S x) {
  u64 h = x.w[0] * 0x9E3779B97F4A7C15ull;
  h ^= h >> 32;
#if WORDS > 1
  for (int k = 1; k < WORDS; k++) {
    h = (h ^ x.w[k]) * 0xBF58476D1CE4E5B9ull;
    h ^= h >> 32;
  }
#endif
  return h * 0x94D049BB133111EBull;
}

static inline int same(S a, S b) {
  u64 d = 0;
  for (int k = 0; k < WORDS; k++) d |= a.w[k] ^ b.w[k];
  return !d;
}

/* Addresses, of which only what is touched takes memory. */
static void *reserved(u64 bytes) {
  void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? 0 : p;
}

/* The same, for what is touched here and there, or all of it. */
static void *pages(u64 bytes) {
  void *p = reserved(bytes);
#ifdef MADV_HUGEPAGE
  if (p) madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return p;
}

/* A table is a row of buckets, each one line of the cache. A world is in the bucket where its
   hash belongs or, where that is full, in the next; buckets fill from the front, so a bucket whose last
   slot is free is where the looking ends. Comparing with all slots of a bucket at once, whichever are
   used, leaves the processor one branch to guess, which nearly always goes the same way. */
#define LANES 8

#if WORDS == 1
#define SLOT(position, y, h) ((y).w[0] + 1)
#define HOLDS(slot, y, h, queue) ((slot) == (y).w[0] + 1)
#else
#define TAG(h) ((h) << 40)
#define POSITION(slot) (((slot) & 0xFFFFFFFFFFull) - 1)
#define SLOT(position, y, h) (TAG(h) | ((position) + 1))
#define ALIKE(slot, h) (!(((slot) ^ TAG(h)) >> 40))
#define HOLDS(slot, y, h, queue) ((slot) && ALIKE(slot, h) && same((queue)[POSITION(slot)], y))
#endif

typedef struct { u64 *slot; u64 mask; int shift; u64 reserved; } Table;

/* The bucket where a world belongs. */
static inline u64 home(const Table *t, u64 h) { return h >> t->shift & ~(u64)(LANES - 1); }

static inline int is_in(const u64 *bucket, S y, u64 h, const S *queue) {
  int maybe = 0;
#if WORDS == 1
  (void)h, (void)queue;
  for (int k = 0; k < LANES; k++) maybe |= HOLDS(bucket[k], y, h, queue);
  return maybe;
#else
  for (int k = 0; k < LANES; k++) maybe |= ALIKE(bucket[k], h);
  if (maybe) for (int k = 0; k < LANES; k++) if (HOLDS(bucket[k], y, h, queue)) return 1;
  return 0;
#endif
}

/* Whether a world is in the table; `at` is then the bucket that it is in, and else the one where it goes. */
static inline int is_known(const Table *t, S y, u64 h, const S *queue, u64 *at) {
  for (*at = home(t, h);; *at = (*at + LANES) & t->mask) {
    const u64 *bucket = t->slot + *at;
    /* Before the others: what another thread puts in later, whoever adds will meet from this bucket on. */
    u64 last = LOAD(bucket[LANES - 1]);
    if (__builtin_expect(is_in(bucket, y, h, queue), 1)) return 1;
    if (__builtin_expect(!last, 1)) return 0;
  }
}

/* Addresses for the largest table that is allowed; pages are taken as they are touched, so the table
   grows where it is, and never exists twice. */
static int make_table(Table *t, int lg, u64 bytes_max) {
  u64 slots_max = 1;
  while (slots_max * 16 <= bytes_max) slots_max *= 2;
  if (slots_max < 1ull << lg) return 0;
  t->mask = (1ull << lg) - 1;
  t->shift = 64 - lg;
  t->reserved = 8 * slots_max;
  t->slot = pages(t->reserved);
  return t->slot != 0;
}

/* Filled to a half, a table is too full; a large one, of which every page costs, to five eighths. */
static inline u64 room(const Table *t) { return (t->mask + 1) / 8 * (t->mask >> 22 ? 5 : 4); }

/* By four while it is small and there is room; then by two. */
static inline int grown_lg(const Table *t) {
  int lg = 64 - t->shift;
  return lg < 16 && 32ull << (lg + 2) <= t->reserved ? lg + 2 : lg + 1;
}

/* Whether there is no room for a larger table. */
static inline int is_largest(const Table *t) { return (8ull << grown_lg(t)) > t->reserved; }

static inline void put_in(u64 *bucket, u64 slot) {
  while (*bucket) bucket++;
  *bucket = slot;
}

static void put(Table *t, u64 slot, u64 h) {
  u64 at = home(t, h);
  while (t->slot[at + LANES - 1]) at = (at + LANES) & t->mask;
  put_in(t->slot + at, slot);
}

static int grow(Table *t, const S *queue, u64 worlds) {
  u64 old = t->mask;
  t->mask = (1ull << grown_lg(t)) - 1;
  t->shift = 64 - grown_lg(t);
#if WORDS == 1
  (void)queue, (void)worlds;
  /* From the top down: a world goes to at least twice its old place, where nothing old is left; except
     near the bottom, where one may lie higher than it belongs, and near the top, from where one might
     be sent to the bottom: those come last. */
  u64 *late = 0, count = 0, size = 0;
  for (u64 k = old + 1; k-- > 0;) if (t->slot[k]) {
    u64 slot = t->slot[k], h = hash((S){{slot - 1}});
    t->slot[k] = 0;
    u64 at = home(t, h);
    if (at > k) {
      while (at <= t->mask && t->slot[at + LANES - 1]) at += LANES;
      if (at <= t->mask) { put_in(t->slot + at, slot); continue; }
    }
    if (count == size) {
      u64 *more = realloc(late, 8 * (size = 2 * size + 64));
      if (!more) { free(late); return 0; }
      late = more;
    }
    late[count++] = slot;
  }
  while (count) { u64 slot = late[--count]; put(t, slot, hash((S){{slot - 1}})); }
  free(late);
#else
  u64 hashes[64];
  memset(t->slot, 0, 8 * (old + 1));
  for (u64 from = 0; from < worlds; from += 64) {
    u64 to = from + 64 < worlds ? from + 64 : worlds;
    for (u64 k = from; k < to; k++) {
      hashes[k - from] = hash(queue[k]);
      __builtin_prefetch(&t->slot[home(t, hashes[k - from])], 1);
    }
    for (u64 k = from; k < to; k++) put(t, SLOT(k, queue[k], hashes[k - from]), hashes[k - from]);
  }
#endif
  return 1;
}

/* Successors that were made and not yet looked up, and how many each of their sources has. */
typedef struct { S out[BATCH + FANOUT]; u64 hashes[BATCH + FANOUT]; u32 count[BATCH]; } Ahead;

static inline long long now(void) {
  struct timespec t;
#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
#else
  clock_gettime(CLOCK_MONOTONIC, &t);
#endif
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int prepare(Run *r, S start) {
  r->level_bytes = 8 * LEVELS;
  r->level = reserved(r->level_bytes);
  /* Only what is touched is taken; but no more can be touched than the memory that is allowed. */
  u64 most = r->memory_max / sizeof(S);
  if (r->worlds_max < most) most = r->worlds_max;
  /* Threads stop a little later than they should, each by what it had begun. */
  r->queue_bytes = (most + 1 + THREADS_MAX * (2 * BLOCK + CHUNK * FANOUT)) * sizeof(S);
  r->queue = pages(r->queue_bytes);
  if (!r->level || !r->queue) return 0;
  r->queue[0] = start;
  r->worlds = r->level[1] = 1;
  return 1;
}

void forget(Run *r) {
  if (r->queue) munmap(r->queue, r->queue_bytes);
  if (r->level) munmap(r->level, r->level_bytes);
  r->queue = 0;
  r->level = 0;
}

static void search_alone(Run *r, S start) {
  Ahead *ahead = malloc(sizeof(Ahead));
  S *out = ahead->out;
  u64 *hashes = ahead->hashes;
  u32 *count = ahead->count;
  Table t;
  S *queue = r->queue;
  u64 worlds = 1, i = 0, transitions = 0, cut = 0;
  long long next_report = now() + REPORT_NS;
  if (!ahead || !make_table(&t, FIRST_LG, r->memory_max)) { r->status = ENOUGH_MEMORY; free(ahead); return; }
  put(&t, SLOT(0, start, hash(start)), hash(start));
  while (i < worlds && r->status == COMPLETE) {
    if (r->depth >= r->depth_max || r->depth + 3 >= LEVELS) { r->status = ENOUGH_DEPTH; break; }
    u64 end = worlds;
    while (i < end && r->status == COMPLETE) {
      u64 bytes = 8 * (t.mask + 1) + (worlds + BATCH + FANOUT) * sizeof(S);
      int crowded = worlds + BATCH + FANOUT > room(&t);
      if (crowded) bytes += (8ull << grown_lg(&t)) - 8 * (t.mask + 1);
      if (bytes > r->memory_max || (crowded && (is_largest(&t) || !grow(&t, queue, worlds)))) {
        r->status = ENOUGH_MEMORY;
        break;
      }
      u64 first = i, made = 0, broken = ~0ull;
      while (i < end && made < BATCH && i - first < BATCH) {
        u32 n = successors(queue[i], out + made, &cut);
        count[i - first] = n;
        for (u64 k = made; k < made + n; k++) {
          hashes[k] = hash(out[k]);
          __builtin_prefetch(&t.slot[home(&t, hashes[k])], 1);
        }
#ifdef STEPS
        for (u64 k = made; k < made + n && broken == ~0ull; k++)
          if (wrong(queue[i], out[k], r->unread)) broken = k;
#endif
        made += n;
        i++;
      }
      u64 k;
      for (k = 0; k < made; k++) {
        S y = out[k];
        u64 at;
        int known = is_known(&t, y, hashes[k], queue, &at);
        if (__builtin_expect(known && k != broken, 1)) continue;
        int violated = k == broken;
        if (!known) {
          look(y, r->seen, r->unread);
          violated |= bad(y, r->unread);
          if (worlds >= r->worlds_max) r->full = 1;
          else {
            put_in(t.slot + at, SLOT(worlds, y, hashes[k]));
            queue[worlds++] = y;
          }
        }
        if (violated || r->full) {
          r->status = violated ? VIOLATED : ENOUGH_WORLDS;
          break;
        }
      }
      if (r->status != COMPLETE) {
        transitions += k + 1;
        for (i = first; k >= count[i - first]; i++) k -= count[i - first];
        r->source = i;
        r->ordinal = k;
        break;
      }
      transitions += made;
      if (r->progress && now() > next_report) {
        if (r->progress(worlds, transitions, r->depth, cut, worlds - i)) r->status = STOPPED;
        next_report = now() + REPORT_NS;
      }
    }
    if (r->status == COMPLETE && worlds > end) {
      r->depth++;
      r->level[r->depth + 1] = worlds;
    }
  }
  r->worlds = worlds;
  r->transitions = transitions;
  r->cut = cut;
  r->expanded = i;
  r->bytes = 8 * (t.mask + 1) + worlds * sizeof(S);
  munmap(t.slot, t.reserved);
  free(ahead);
}

/* ---- several threads -----------------------------------------------------------------------------

   All take worlds of one level, a few at a time, and put what is new into one table; then they wait
   for each other. Positions in the queue are handed out in blocks, so at the end of a level some are
   not used: the last worlds move there. Worlds of a level come in any order, levels do not. */

typedef struct { u64 from, to; } Range;

/* Where threads wait for each other; held until it is known how many there are. */
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t all;
  u64 threads, waiting, turn;
} Meeting;

static void meet(Meeting *m) {
  pthread_mutex_lock(&m->lock);
  u64 turn = m->turn;
  if (++m->waiting == m->threads) {
    m->waiting = 0;
    m->turn++;
    pthread_cond_broadcast(&m->all);
  } else while (m->turn == turn) pthread_cond_wait(&m->all, &m->lock);
  pthread_mutex_unlock(&m->lock);
}

typedef struct {
  Run *run;
  Table table;
  Meeting meeting;
  u64 threads, next, end, worlds, transitions, cut;
  /* Why threads stop before the level is done: the table is too full, or the search has ended. */
  int crowded, ended, done;
  long long next_report;
  Range unused[THREADS_MAX];
} Team;

typedef struct { Team *team; u64 number; pthread_t thread; } Member;

/* Whether `y` is new, from the bucket `at` on, where it was not; then it takes the position free in `mine`.
   Apart from the loop that looks, which is hot, and goes through most successors without coming here. */
static __attribute__((noinline)) int add(Team *team, Range *mine, S y, u64 h, u64 at) {
  const Table t = team->table;
  S *queue = team->run->queue;
  if (mine->from == mine->to) {
    mine->from = TAKE(team->worlds, BLOCK);
    mine->to = mine->from + BLOCK;
  }
  queue[mine->from] = y;
  for (;; at = (at + 1) & t.mask) {
    u64 slot = 0, ours = SLOT(mine->from, y, h);
    if (__atomic_compare_exchange_n(&t.slot[at], &slot, ours, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      mine->from++;
      return 1;
    }
    if (HOLDS(slot, y, h, queue)) return 0;
  }
}

/* The last worlds of the queue move to where positions were handed out and not used. */
static void close_ranks(Team *team) {
  S *queue = team->run->queue;
  u64 worlds = team->worlds;
  u8 kept[THREADS_MAX * BLOCK];
  u64 unused = 0;
  for (u64 k = 0; k < team->threads; k++) unused += team->unused[k].to - team->unused[k].from;
  u64 after = worlds - unused;
  /* Of the positions that go away, which are used. */
  memset(kept, 1, sizeof kept);
  for (u64 k = 0; k < team->threads; k++)
    for (u64 p = team->unused[k].from; p < team->unused[k].to; p++) if (p >= after) kept[p - after] = 0;
  u64 last = worlds;
  for (u64 k = 0; k < team->threads; k++) {
    for (u64 p = team->unused[k].from; p < team->unused[k].to; p++) if (p < after) {
      do last--; while (!kept[last - after]);
      queue[p] = queue[last];
#if WORDS > 1
      Table *t = &team->table;
      u64 h = hash(queue[p]), at = home(t, h);
      while (t->slot[at] != SLOT(last, queue[p], h)) at = (at + 1) & t->mask;
      t->slot[at] = SLOT(p, queue[p], h);
#endif
    }
    team->unused[k] = (Range){0, 0};
  }
  team->worlds = after;
}

/* Whether threads might fill the table before they look again. */
static inline int is_crowded(const Team *team, u64 worlds) {
  return worlds + team->threads * (CHUNK * FANOUT + BLOCK) > room(&team->table) / 4 * 5;
}

/* What one thread does between two meetings. */
static void contribute(Team *team, u64 number, Ahead *ahead) {
  Run *r = team->run;
  S *queue = r->queue;
  /* It stays where and as it is until all threads have met. */
  const Table t = team->table;
  Range mine = {0, 0};
  u64 transitions = 0, cut = 0;
  while (!LOAD(team->crowded) && !LOAD(team->ended)) {
    u64 i = TAKE(team->next, CHUNK);
    if (i >= team->end) break;
    u64 to = i + CHUNK < team->end ? i + CHUNK : team->end;
    while (i < to) {
      u64 made = 0, cuts = 0;
      while (i < to && made < BATCH) {
        u32 n = successors(queue[i], ahead->out + made, &cuts);
        for (u64 k = made; k < made + n; k++) {
          ahead->hashes[k] = hash(ahead->out[k]);
          /* To read: most are there already, and to write it would take it away from the others. */
          __builtin_prefetch(&t.slot[home(&t, ahead->hashes[k])], 0);
        }
#ifdef STEPS
        for (u64 k = made; k < made + n; k++)
          if (wrong(queue[i], ahead->out[k], r->unread)) STORE(team->ended, VIOLATED);
#endif
        made += n;
        i++;
      }
      transitions += made;
      cut += cuts;
      for (u64 k = 0; k < made; k++) {
        S y = ahead->out[k];
        u64 h = ahead->hashes[k], at;
        if (__builtin_expect(!is_known(&t, y, h, queue, &at), 0) && add(team, &mine, y, h, at)) {
          look(y, r->seen, r->unread);
          if (bad(y, r->unread)) STORE(team->ended, VIOLATED);
        }
      }
    }
    u64 worlds = LOAD(team->worlds);
    if (is_crowded(team, worlds)) STORE(team->crowded, 1);
    if (worlds > r->worlds_max + team->threads * BLOCK) STORE(team->ended, ENOUGH_WORLDS);
    if (number == 0 && r->progress && now() > team->next_report) {
      u64 so_far = LOAD(team->transitions) + transitions, cuts = LOAD(team->cut) + cut;
      if (r->progress(worlds, so_far, r->depth, cuts, worlds - i)) STORE(team->ended, STOPPED);
      team->next_report = now() + REPORT_NS;
    }
  }
  TAKE(team->transitions, transitions);
  TAKE(team->cut, cut);
  team->unused[number] = mine;
}

/* One thread, while the others wait: the level goes on, the next begins, or the search is over. */
static void decide(Team *team) {
  Run *r = team->run;
  Table *t = &team->table;
  close_ranks(team);
  if (team->ended) { r->status = team->ended; team->done = 1; return; }
  if (team->worlds > r->worlds_max) { r->status = ENOUGH_WORLDS; team->done = 1; return; }
  while (is_crowded(team, team->worlds)) {
    u64 bytes = (8ull << grown_lg(t)) + team->worlds * sizeof(S);
    if (bytes > r->memory_max || is_largest(t) || !grow(t, r->queue, team->worlds)) {
      r->status = ENOUGH_MEMORY;
      team->done = 1;
      return;
    }
  }
  if (team->crowded && team->next < team->end) { team->crowded = 0; return; }
  team->crowded = 0;
  team->next = team->end;
  r->expanded = team->end;
  /* Only whole levels are counted, whichever thread came how far. */
  r->transitions = team->transitions;
  r->cut = team->cut;
  if (team->worlds > team->end) {
    r->depth++;
    r->level[r->depth + 1] = team->worlds;
    if (r->depth >= r->depth_max || r->depth + 3 >= LEVELS) { r->status = ENOUGH_DEPTH; team->done = 1; }
  } else team->done = 1;
  team->end = r->worlds = team->worlds;
}

static void *join(void *of) {
  Member *member = of;
  Team *team = member->team;
  Ahead *ahead = malloc(sizeof(Ahead));
  if (!ahead) STORE(team->ended, ENOUGH_MEMORY);
  pthread_mutex_lock(&team->meeting.lock);
  pthread_mutex_unlock(&team->meeting.lock);
  do {
    if (ahead) contribute(team, member->number, ahead);
    meet(&team->meeting);
    if (member->number == 0) decide(team);
    meet(&team->meeting);
  } while (!team->done);
  free(ahead);
  return 0;
}

static void search_together(Run *r, S start) {
  Team team = {.run = r, .end = 1, .worlds = 1, .next_report = now() + REPORT_NS};
  team.threads = r->threads < THREADS_MAX ? r->threads : THREADS_MAX;
  Member members[THREADS_MAX];
  int lg = FIRST_LG;
  while ((1ull << lg) / 8 < team.threads * (CHUNK * FANOUT + BLOCK)) lg++;
  if (r->depth_max == 0) { r->status = ENOUGH_DEPTH; return; }
  if (!make_table(&team.table, lg, r->memory_max)) { r->status = ENOUGH_MEMORY; return; }
  put(&team.table, SLOT(0, start, hash(start)), hash(start));
  pthread_mutex_init(&team.meeting.lock, 0);
  pthread_cond_init(&team.meeting.all, 0);
  pthread_mutex_lock(&team.meeting.lock);
  u64 had = 1;
  for (u64 k = 0; k < team.threads; k++) members[k] = (Member){&team, k, 0};
  /* A thread that cannot be had is done without. */
  while (had < team.threads && !pthread_create(&members[had].thread, 0, join, &members[had])) had++;
  team.threads = team.meeting.threads = had;
  pthread_mutex_unlock(&team.meeting.lock);
  join(&members[0]);
  for (u64 k = 1; k < had; k++) pthread_join(members[k].thread, 0);
  r->bytes = 8 * (team.table.mask + 1) + r->worlds * sizeof(S);
  pthread_cond_destroy(&team.meeting.all);
  pthread_mutex_destroy(&team.meeting.lock);
  munmap(team.table.slot, team.table.reserved);
}

void search(Run *r, S *start) {
  r->status = COMPLETE;
  if (!prepare(r, *start)) { r->status = ENOUGH_MEMORY; return; }
  look(*start, r->seen, r->unread);
  if (bad(*start, r->unread)) { r->status = VIOLATED; return; }
  if (r->threads > 1) {
    search_together(r, *start);
    if (r->status != VIOLATED) return;
    /* Which violation comes first must not depend on which thread does. */
    forget(r);
    memset(r->seen, 0, sizeof r->seen);
    memset(r->unread, 0, sizeof r->unread);
    r->worlds = r->transitions = r->depth = r->cut = r->expanded = 0;
    r->status = COMPLETE;
    if (!prepare(r, *start)) { r->status = ENOUGH_MEMORY; return; }
    look(*start, r->seen, r->unread);
  }
  search_alone(r, *start);
}

/* The first world in the queue from `from` on, before `to`, with a step to `world`. */
u64 predecessor(Run *r, S *world, u64 from, u64 to) {
  S out[FANOUT + 1];
  u64 cut = 0;
  for (u64 i = from; i < to; i++)
    for (u32 k = 0, n = successors(r->queue[i], out, &cut); k < n; k++)
      if (same(out[k], *world)) return i;
  return ~0ull;
}

/* What each clause made of the worlds in the queue from `from` on, before `to`. */
void cover(Run *r, u64 from, u64 to, u64 *decided, u64 *cuts) {
  for (; from < to; from += 256)
    covered(r->queue + from, from + 256 < to ? 256 : to - from, decided, cuts);
}

u64 expand(S *world, S *out) {
  u64 cut = 0;
  return successors(*world, out, &cut);
}

/* So many steps, at random, and back to the start after each `length`, until one violates an invariant. */
u64 walk(S *start, u64 steps, u64 length, u64 seed, u64 *deepest, Run *r) {
  S out[FANOUT + 1], x = *start;
  u64 state = seed | 1, depth = 0, taken = 0, cut = 0;
  *deepest = 0;
  while (taken < steps) {
    u32 n = successors(x, out, &cut);
    if (!n || depth >= length) {
      if (!depth && !n) break;
      x = *start;
      depth = 0;
      continue;
    }
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    x = out[(state >> 32) * n >> 32];
    taken++;
    if (++depth > *deepest) *deepest = depth;
    if (bad(x, r->unread)) { r->status = VIOLATED; *start = x; break; }
  }
  return taken;
}
