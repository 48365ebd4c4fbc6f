/* threads [ADDRESS [THREADS]]: counts primes for its clients, on threads of its own.
 *
 * A client sends a number, and gets back how many primes are below it: "1000" is answered by "1000: 168". Counting takes
 * its time, so a callback must not do it: it would hold up the other clients of its worker. Callbacks put jobs into a
 * queue, and the program's threads answer. wsgate_client_send_text() may be called from any of them, and an id is all
 * that they need: if its client has gone meanwhile, the answer is CLOSED and nothing happens.
 *
 *   cc -std=c99 threads.c -o threads -lwsgate -pthread && ./threads 127.0.0.1:9001 4
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wsgate.h>

#define MAX_JOBS 1024
#define MAX_NUMBER 10000000
#define MAX_THREADS 64

struct job {
  uint64_t client;
  unsigned long number;
};

/* A ring. What finds it full is refused: a queue without a bound would grow for as long as clients ask faster than
 * they can be answered. */
static struct {
  pthread_mutex_t lock;
  pthread_cond_t filled;
  struct job jobs[MAX_JOBS];
  size_t first, count;
  int stopping;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static sem_t stopped;

static int put(struct job job) {
  pthread_mutex_lock(&queue.lock);
  int room = queue.count < MAX_JOBS;
  if (room) {
    queue.jobs[(queue.first + queue.count++) % MAX_JOBS] = job;
    pthread_cond_signal(&queue.filled);
  }
  pthread_mutex_unlock(&queue.lock);
  return room;
}

/* Waits for a job; 0 when the program ends. */
static int take(struct job *job) {
  pthread_mutex_lock(&queue.lock);
  while (queue.count == 0 && !queue.stopping)
    pthread_cond_wait(&queue.filled, &queue.lock);
  int found = queue.count > 0;
  if (found) {
    *job = queue.jobs[queue.first];
    queue.first = (queue.first + 1) % MAX_JOBS;
    queue.count--;
  }
  pthread_mutex_unlock(&queue.lock);
  return found;
}

static unsigned long primes_below(unsigned long number) {
  unsigned long found = 0;
  for (unsigned long n = 2; n < number; n++) {
    int prime = 1;
    for (unsigned long d = 2; d * d <= n && prime; d++)
      prime = n % d != 0;
    found += (unsigned long)prime;
  }
  return found;
}

static void *count(void *server) {
  struct job job;
  char text[64];
  while (take(&job)) {
    int length = snprintf(text, sizeof text, "%lu: %lu", job.number, primes_below(job.number));
    /* FULL: this client does not read its answers. There is nobody to wait for here, so it has to go. */
    if (wsgate_client_send_text(server, job.client, text, (size_t)length) == WSGATE_STATUS_FULL)
      wsgate_client_close(server, job.client, 1013, "Too slow", strlen("Too slow"));
  }
  return NULL;
}

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  char text[16] = "", *end = text;
  struct job job = {event->client, 0};
  (void)user_data;

  if (event->length < sizeof text) {
    memcpy(text, event->data, event->length);
    job.number = strtoul(text, &end, 10);
  }
  if (end == text || *end != '\0' || text[0] == '-' || job.number > MAX_NUMBER)
    wsgate_client_close(server, event->client, 1008, "Send a number", strlen("Send a number"));
  else if (!put(job))
    wsgate_client_close(server, event->client, 1013, "Try again later", strlen("Try again later"));
}

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server;
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_STOPPED)
    sem_post(&stopped);
}

/* The last error belongs to the latest call that failed on this thread: ask for it before any other call. */
static void require(wsgate_status status, const char *what) {
  if (status != WSGATE_STATUS_OK) {
    fprintf(stderr, "threads: %s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "127.0.0.1:9001";
  int thread_count = argc > 2 ? atoi(argv[2]) : 4;
  pthread_t threads[MAX_THREADS];
  uint32_t endpoint;

  if (thread_count < 1 || thread_count > MAX_THREADS) {
    fprintf(stderr, "threads: 1 to %d of them\n", MAX_THREADS);
    return 2;
  }

  /* Blocked before any thread starts, so that these signals wait for sigwait() below. */
  sigset_t signals;
  int signal_number;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  sem_init(&stopped, 0, 0);

  wsgate_server *server = wsgate_server_new();
  require(wsgate_server_listen(server, address, strlen(address)), address);
  require(wsgate_server_add_endpoint(server, "/", 1, &endpoint), "endpoint /");
  require(wsgate_server_on_message(server, on_message, NULL, NULL), "on_message");
  require(wsgate_server_on_event(server, on_event, NULL, NULL), "on_event");
  require(wsgate_server_start(server), address);
  for (int i = 0; i < thread_count; i++)
    if (pthread_create(&threads[i], NULL, count, server) != 0)
      abort();

  /* With port 0 the system chose one. */
  int host_length = (int)(strrchr(address, ':') - address);
  printf("listening on ws://%.*s:%d/\n", host_length, address, (int)wsgate_server_port(server, 0));
  fflush(stdout);

  sigwait(&signals, &signal_number);
  require(wsgate_server_stop(server, 3000), "stop"); /* clients get 1001 and 3 s to answer it */
  sem_wait(&stopped);

  /* No thread may use the server when it is freed. */
  pthread_mutex_lock(&queue.lock);
  queue.stopping = 1;
  queue.count = 0; /* nobody is left to hear of these */
  pthread_cond_broadcast(&queue.filled);
  pthread_mutex_unlock(&queue.lock);
  for (int i = 0; i < thread_count; i++)
    pthread_join(threads[i], NULL);
  wsgate_server_free(server);
  return 0;
}
