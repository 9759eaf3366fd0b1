/* A test that creates a thread and takes for granted that it has run 2 ms later. Nothing in it is marked. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int running;

static void *worker(void *unused)
{
	(void)unused;
	atomic_store(&running, 1);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, worker, NULL) != 0)
		return 125;
	usleep(2000);
	if (atomic_load(&running))
		return 0;
	fprintf(stderr, "late.c:24: worker is not running\n");
	return 1;
}
