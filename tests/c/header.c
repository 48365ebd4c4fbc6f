/* The header stands alone, in every C from C99 on and in C++, and its records have the layout that the bindings
 * decode. It is compiled once for each language standard. */
#include <wsgate.h>

#define HOLDS(name, condition) typedef char name[(condition) ? 1 : -1]
#define AT(type, member, offset) HOLDS(type##_##member##_at, offsetof(type, member) == offset)

HOLDS(event_size, sizeof(wsgate_event) == 64);
AT(wsgate_event, kind, 0);
AT(wsgate_event, flags, 4);
AT(wsgate_event, client, 8);
AT(wsgate_event, user_data, 16);
AT(wsgate_event, data, 24);
AT(wsgate_event, length, 32);
AT(wsgate_event, code, 40);
AT(wsgate_event, endpoint, 44);
AT(wsgate_event, value, 48);
AT(wsgate_event, time_ns, 56);

HOLDS(batch_size, sizeof(wsgate_batch) == 48);
AT(wsgate_batch, events, 0);
AT(wsgate_batch, event_size, 8);
AT(wsgate_batch, count, 16);
AT(wsgate_batch, payload, 24);
AT(wsgate_batch, payload_length, 32);
AT(wsgate_batch, pending, 40);

HOLDS(client_counters_size, sizeof(wsgate_client_counters) == 176);
HOLDS(server_counters_size, sizeof(wsgate_server_counters) == 248);
AT(wsgate_client_counters, size, 0);
AT(wsgate_client_counters, messages_in, 40);
AT(wsgate_client_counters, connected_ns, 112);
AT(wsgate_client_counters, round_trip_ns, 168);

HOLDS(record_size, sizeof(wsgate_record) == 32);
AT(wsgate_record, op, 0);
AT(wsgate_record, flags, 2);
AT(wsgate_record, size, 4);
AT(wsgate_record, target, 8);
AT(wsgate_record, ticket, 16);
AT(wsgate_record, ids, 24);
AT(wsgate_record, length, 28);

HOLDS(status_closed, WSGATE_STATUS_CLOSED == -2);
HOLDS(kind_stopped, WSGATE_EVENT_KIND_STOPPED == 14);
HOLDS(cause_lost, WSGATE_CLOSE_CAUSE_LOST == 8);
HOLDS(op_remove, WSGATE_OP_GATEWAY_REMOVE == 8);

int main(void) { return wsgate_abi_version() == 0 && wsgate_version() != NULL ? 0 : 1; }
