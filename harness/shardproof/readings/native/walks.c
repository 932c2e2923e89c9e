/* Random walks over packed worlds. What is particular to a protocol at a scope is generated in place of
   the line GENERATED: WORDS, ATTEMPTS, ACTIONS, WITNESSES, SITES, and what is named there.

   A step asks which attempts are accepted, picks one, and makes its world and no other. One that leaves
   the world as it is is not taken: another is picked, until none is left. A walk is a function of the
   seed and its number, so any of them can be taken again without those before it; the same numbers in
   Python, and what they are for, are in `wandering.py`. */
#include <stdint.h>
#include <string.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

/*GENERATED*/

/* As in `wandering.py`. */
#define PRECISION 14
#define INDIFFERENT 4

typedef struct {
  /* What is asked for: steps of a walk, at most, and what decides all of them. */
  u64 length, seed;
  /* What came of it: steps, the number of the walk, how far it has come, what decides its next step. */
  u64 steps, number, depth, state;
  u64 deepest, violated, stuck;
  /* Attempt -> how often it was taken; steps -> how many walks came to their end after so many; witness
     -> how many walks have shown it; what was out of range -> how often. */
  u64 *taken, *ended, *shown, *cuts;
  /* The attempts of this walk, in order. */
  u32 *path;
  /* How many worlds there were, roughly: for each of many parts the longest run of zeros of a hash. */
  u8 *runs;
  u8 *seen, *unread;
  /* Action -> how readily it is taken in this walk, in 256ths. */
  u64 liking[ACTIONS];
  S at;
} Walker;

static inline u64 mixed(u64 h) {
  h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ h >> 27) * 0x94D049BB133111EBull;
  return h ^ h >> 31;
}

static inline void count(u8 *runs, S x) {
  u64 h = 0;
  for (int k = 0; k < WORDS; k++) h = mixed((h ^ x.w[k]) + 0x9E3779B97F4A7C15ull);
  u8 run = __builtin_clzll(h << PRECISION | 1ull << (PRECISION - 1)) + 1;
  u8 *longest = runs + (h >> (64 - PRECISION));
  if (run > *longest) *longest = run;
}

static inline int same(S a, S b) {
  u64 d = 0;
  for (int k = 0; k < WORDS; k++) d |= a.w[k] ^ b.w[k];
  return !d;
}

static inline void shown(Walker *w, S x) {
  if (WITNESSES) look(x, w->seen, w->unread);
}

/* The next walk begins; of the one before it is known what it has shown. */
static void begin(Walker *w, S start) {
  for (int k = 0; k < WITNESSES; k++) w->shown[k] += w->seen[k];
  if (WITNESSES) memset(w->seen, 0, WITNESSES);
  w->number++;
  w->depth = 0;
  w->state = mixed(w->seed + w->number * 0x9E3779B97F4A7C15ull);
  if (!w->state) w->state = 1;
  for (u64 k = 0; k < ACTIONS; k++)
    w->liking[k] = 256 >> (w->number % INDIFFERENT ? 2 * (mixed(w->state + k) & 3) : 0);
  w->at = start;
  count(w->runs, start);
  shown(w, start);
}

/* Nothing changes the world any more. */
static void end(Walker *w, S start) {
  w->ended[w->depth]++;
  if (w->depth) begin(w, start);
  else w->stuck = 1;
}

/* Go on until `steps` were taken in all, or one of them violates something. */
void go_on(Walker *w, S *start, u64 steps) {
  u32 accepted[ATTEMPTS];
  if (!w->number) {
    begin(w, *start);
    if (bad(*start, w->unread)) w->violated = 1;
  }
  while (w->steps < steps && !w->violated && !w->stuck) {
    S x = w->at;
    if (w->depth >= w->length) { begin(w, *start); continue; }
    u32 n = enabled(x, accepted, w->cuts);
    if (!n) { end(w, *start); continue; }
    u64 state = w->state;
    u32 attempt;
    S y;
    int broken = 0;
    do {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      u32 k = (state >> 32) * n >> 32;
      attempt = accepted[k];
      if ((state & 255) >= w->liking[action_of[attempt]]) continue;
      y = taken(x, attempt);
#ifdef STEPS
      broken = wrong(x, y, w->unread);
#endif
      if (broken || !same(x, y)) break;
      accepted[k] = accepted[--n];
    } while (n);
    w->state = state;
    if (!n) { end(w, *start); continue; }
    w->path[w->depth++] = attempt;
    w->taken[attempt]++;
    w->steps++;
    if (w->depth > w->deepest) w->deepest = w->depth;
    w->at = y;
    count(w->runs, y);
    shown(w, y);
    if (broken || bad(y, w->unread)) w->violated = 1;
  }
}
