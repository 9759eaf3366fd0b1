/* A program with marks, C and C++: storm PROCESS, hard, time N. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "heisen_events.h"

enum { THREADS = 8, EACH = 25 };

static const char *process;

void mark_from_another_file(const char *process, const char *thread, const char *i);

static void *storm(void *arg)
{
	char thread[16], i[16];

	snprintf(thread, sizeof thread, "%d", (int)(long)arg);
	for (int n = 0; n < EACH; n++) {
		snprintf(i, sizeof i, "%d", n);
		if (n % 2)
			heisen_mark("mark", process, thread, i);
		else
			mark_from_another_file(process, thread, i);
	}
	return NULL;
}

static void hard(void)
{
	static char percents[3 * 4096 + 1];

	heisen_mark("hard", "a b", "", "100%", "%41");
	heisen_mark("hard", "x\ny\t\x01\x7f", "@1:2:3 fake", "größe 日本");
	heisen_mark("hard", "'\"\\$(true)`*");
	heisen_mark("hard");
	memset(percents, '%', sizeof percents - 1);
	heisen_mark("long", percents, "never");
}

static void many(long n)
{
	while (n-- > 0)
		heisen_mark("lock.acquired", "worker-7", "42");
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (strcmp(argv[1], "hard") == 0)
		hard();
	if (strcmp(argv[1], "time") == 0)
		many(atol(argv[2]));
	if (strcmp(argv[1], "storm") != 0)
		return 0;
	process = argv[argc - 1];
	for (long t = 0; t < THREADS; t++)
		if (pthread_create(&threads[t], NULL, storm, (void *)t) != 0)
			return 1;
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	return 0;
}
