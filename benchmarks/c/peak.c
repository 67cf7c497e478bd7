/* What the machine can do at most: peak arithmetic and read bandwidth, one line of figures a measurement.
 *
 * loops.h is written by peak_loops.py: LOOPS(X) lists X(function, isa, dtype, mix, operations of one turn). The loops
 * are assembly, so that no compiler can spill, merge or drop an instruction. Output: "isa dtype mix threads rate".
 */
#include "measure.h"

#include "loops.h"

#define TURNS 20000L
#define BUFFER ((size_t)128 << 20) /* bytes a thread reads: beyond any cache here */

typedef void (*loop_fn)(long turns);

typedef struct {
    loop_fn loop;
} loop_argument;

static void run_loop(void *argument, int thread, int n_threads, long repeats)
{
    (void)thread;
    (void)n_threads;
    ((loop_argument *)argument)->loop(TURNS * repeats);
}

static void run_read(void *argument, int thread, int n_threads, long repeats)
{
    (void)n_threads;
    for (long r = 0; r < repeats; ++r)
        read_buffer(((char **)argument)[thread], (long)(BUFFER / READ_BYTES));
}

static void measure(loop_fn loop, const char *isa, const char *dtype, const char *mix, double operations, int n_threads)
{
    loop_argument argument = {loop};
    const double seconds = best_time(run_loop, &argument, n_threads) / TURNS;
    printf("%s %s %s %d %.6g\n", isa, dtype, mix, n_threads, operations * n_threads / seconds);
}

int main(int argc, char **argv)
{
    char *buffers[MAX_THREADS];
    for (int a = 1; a < argc; ++a) {
        const int n_threads = atoi(argv[a]);
        if (n_threads < 1 || n_threads > MAX_THREADS)
            return 2;
#define MEASURE(function, isa, dtype, mix, operations) measure(function, isa, dtype, mix, operations, n_threads);
        LOOPS(MEASURE)
        for (int i = 0; i < n_threads; ++i) {
            buffers[i] = (char *)malloc(BUFFER);
            if (buffers[i] == NULL)
                return 3;
            for (size_t b = 0; b < BUFFER; ++b)
                buffers[i][b] = (char)b;
        }
        const double seconds = best_time(run_read, buffers, n_threads);
        printf("any any read %d %.6g\n", n_threads, (double)BUFFER * n_threads / seconds);
        for (int i = 0; i < n_threads; ++i)
            free(buffers[i]);
    }
    return 0;
}
