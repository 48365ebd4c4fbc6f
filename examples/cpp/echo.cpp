// echo [ADDRESS]: sends every message back as it came, in C++17 over the small header beside it.
//
//   c++ -std=c++17 echo.cpp -o echo -lwsgate -pthread && ./echo 127.0.0.1:9001
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>

#include "wsgate.hpp"

int main(int argc, char **argv) try {
  const std::string address = argc > 1 ? argv[1] : "127.0.0.1:9001";

  // Blocked before the server starts its threads, so that these signals wait for sigwait() below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::promise<void> stopped; // outlives the server, whose callbacks use it
  wsgate::server server;
  server.listen(address);
  server.add_endpoint("/");
  server.on_message([](wsgate::server &server, const wsgate::event &message) {
    if (server.send(message.client(), message.data(), message.binary()) == WSGATE_STATUS_FULL)
      server.close(message.client(), 1013, "Too slow");
  });
  server.on_event([&stopped](wsgate::server &, const wsgate::event &event) {
    if (event.kind() == WSGATE_EVENT_KIND_STOPPED)
      stopped.set_value();
  });
  server.start();
  std::cout << "listening on ws://" << address.substr(0, address.rfind(':')) << ':' << server.port() << '/' << std::endl;

  int signal_number;
  sigwait(&signals, &signal_number);
  server.stop(3000);
  stopped.get_future().wait();
  return EXIT_SUCCESS;
} catch (const wsgate::error &error) {
  std::cerr << "echo: " << wsgate_status_text(error.status()) << ": " << error.what() << '\n';
  return EXIT_FAILURE;
}
