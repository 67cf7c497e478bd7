/* Run a function on several threads at once and time it: the clock of peak.c and assign.c. POSIX only. */
#ifndef MEASURE_H
#define MEASURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_THREADS 64
#define SHORTEST 0.05 /* seconds a sample must last */
#define SAMPLES 7     /* the best one counts: peaks and floors are extremes */

typedef void (*work_fn)(void *argument, int thread, int n_threads, long repeats);

typedef struct task {
    work_fn work;
    void *argument;
    int thread, n_threads;
    long repeats;
    pthread_barrier_t *barrier;
    double start, end; /* taken by the thread itself: the caller may not be running when it starts */
} task;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *run_task(void *data)
{
    task *t = (task *)data;
    pthread_barrier_wait(t->barrier);
    t->start = now();
    t->work(t->argument, t->thread, t->n_threads, t->repeats);
    t->end = now();
    return NULL;
}

/* Seconds that `n_threads` threads need to do the work `repeats` times each. */
static double time_once(work_fn work, void *argument, int n_threads, long repeats)
{
    pthread_barrier_t barrier;
    pthread_t threads[MAX_THREADS];
    task tasks[MAX_THREADS];
    pthread_barrier_init(&barrier, NULL, (unsigned)n_threads);
    for (int i = 0; i < n_threads; ++i) {
        tasks[i] = (task){work, argument, i, n_threads, repeats, &barrier, 0, 0};
        if (pthread_create(&threads[i], NULL, run_task, &tasks[i]) != 0)
            exit(3);
    }
    double start = 1e300, end = 0;
    for (int i = 0; i < n_threads; ++i) {
        pthread_join(threads[i], NULL);
        start = tasks[i].start < start ? tasks[i].start : start;
        end = tasks[i].end > end ? tasks[i].end : end;
    }
    pthread_barrier_destroy(&barrier);
    return end - start;
}

/* Best seconds of one repeat, over samples long enough for the clock. */
static double best_time(work_fn work, void *argument, int n_threads)
{
    long repeats = 1;
    while (time_once(work, argument, n_threads, repeats) < SHORTEST)
        repeats *= 2;
    double best = 1e300;
    for (int s = 0; s < SAMPLES; ++s) {
        const double seconds = time_once(work, argument, n_threads, repeats) / (double)repeats;
        best = seconds < best ? seconds : best;
    }
    return best;
}

#endif
