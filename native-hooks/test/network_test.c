/* Addresses as policy judges them, the run's own listeners and names, and listeners that only this machine reaches. */
#include "image/address.h"
#include "supervise/network.h"
#include "supervise/resolve.h"
#include "supervise/supervisor.h"
#include "test/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct gk_supervisor supervisor;

static struct gk_address v4(const char *text, uint16_t port) {
	struct gk_address address = {.length = sizeof(address.v4)};
	address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, text, &address.v4.sin_addr);
	return address;
}

static struct gk_address v6(const char *text, uint16_t port) {
	struct gk_address address = {.length = sizeof(address.v6)};
	address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	inet_pton(AF_INET6, text, &address.v6.sin6_addr);
	return address;
}

static void check_text(struct gk_address address, int domain, const char *expected) {
	struct gk_endpoint endpoint;
	char text[GK_ENDPOINT_TEXT];
	CHECK(gk_endpoint_of(&address, domain, &endpoint) == 0 && endpoint.port == 443);
	CHECK(gk_slice_equal(gk_endpoint_text(&endpoint, text), gk_slice_of(expected)), "%s: %s", expected, text);
}

static void endpoints_have_one_form(void) {
	check_text(v4("10.1.2.3", 443), AF_INET, "10.1.2.3");
	check_text(v6("::ffff:10.1.2.3", 443), AF_INET6, "10.1.2.3");
	check_text(v6("2001:db8::1", 443), AF_INET6, "2001:db8::1");
}

/* Which names they stand for is the daemon's to know: they must come to it as they are, in whatever they are wrapped. */
static void addresses_that_stand_for_names_are_told_apart(void) {
	static const struct {
		const char *text, *shown;
		bool stands;
	} rows[] = {
		{"2001:2::c612:7", "2001:2::c612:7", true},
		{"2001:2:0:ffff:ffff:ffff:ffff:ffff", "2001:2:0:ffff:ffff:ffff:ffff:ffff", true},
		{"::ffff:198.18.0.7", "198.18.0.7", true},
		{"64:ff9b::198.19.0.7", "198.19.0.7", true},
		{"2001:2:1::", "2001:2:1::", false},
		{"2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", false},
		{"::ffff:198.20.0.0", "198.20.0.0", false},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct gk_endpoint endpoint;
		struct gk_address address = v6(rows[i].text, 443);
		char text[GK_ENDPOINT_TEXT];
		CHECK(gk_endpoint_of(&address, AF_INET6, &endpoint) == 0);
		gk_address_unwrap(endpoint.address);
		CHECK((gk_address_class(endpoint.address) == GK_ADDRESS_SYNTHETIC) == rows[i].stands, "%s", rows[i].text);
		CHECK(gk_slice_equal(gk_endpoint_text(&endpoint, text), gk_slice_of(rows[i].shown)), "%s: %s", rows[i].text, text);
	}
}

static void addresses_of_another_family_or_too_short_are_refused(void) {
	struct gk_endpoint endpoint;
	struct gk_address address = v4("10.1.2.3", 1);
	CHECK(gk_endpoint_of(&address, AF_INET6, &endpoint) == -EINVAL);
	address = v6("::1", 1);
	CHECK(gk_endpoint_of(&address, AF_INET, &endpoint) == -EAFNOSUPPORT);
	address.length = 24;
	CHECK(gk_endpoint_of(&address, AF_INET6, &endpoint) == 0);
	address.length = 23;
	CHECK(gk_endpoint_of(&address, AF_INET6, &endpoint) == -EINVAL);
	address = v4("10.1.2.3", 1);
	address.length = sizeof(address.v4) - 1;
	CHECK(gk_endpoint_of(&address, AF_INET, &endpoint) == -EINVAL);
}

static void only_sockets_that_a_run_can_make_are_known(void) {
	static const struct {
		struct gk_socket socket;
		bool known;
	} rows[] = {
		{{.domain = AF_INET, .type = SOCK_STREAM, .protocol = IPPROTO_TCP}, true},
		{{.domain = AF_INET, .type = SOCK_STREAM, .protocol = 262 /* IPPROTO_MPTCP */}, false},
		{{.domain = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP}, false},
		{{.domain = AF_INET6, .type = SOCK_RAW, .protocol = IPPROTO_TCP}, false},
		{{.domain = AF_UNIX, .type = SOCK_STREAM}, true},
		{{.domain = AF_UNIX, .type = SOCK_DGRAM}, false},
		{{.domain = AF_NETLINK, .type = SOCK_RAW, .protocol = 0}, true},
		{{.domain = AF_NETLINK, .type = SOCK_RAW, .protocol = 4}, false},
		{{.domain = 40 /* AF_VSOCK */, .type = SOCK_STREAM}, false},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		CHECK(gk_socket_is_known(&rows[i].socket) == rows[i].known, "row %zu", i);
}

static struct gk_socket listener_on(struct gk_address address, int domain, struct gk_endpoint *at) {
	struct gk_socket socket_here = {.fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0), .domain = domain};
	CHECK(socket_here.fd >= 0 && bind(socket_here.fd, &address.any, address.length) == 0 && listen(socket_here.fd, 1) == 0);
	CHECK(gk_endpoint_local(&socket_here, at) == 0 && at->port != 0);
	return socket_here;
}

static void a_listener_is_own_while_it_is_the_one_that_was_seen(void) {
	struct gk_endpoint at, other;
	struct gk_network *network = supervisor.network;
	struct gk_socket own = listener_on(v4("127.0.0.1", 0), AF_INET, &at);
	CHECK(!gk_network_is_own(network, &at));
	gk_network_listens(network, own.fd);
	CHECK(gk_network_is_own(network, &at));
	other = at;
	other.port = (uint16_t)(at.port == 1 ? 2 : at.port - 1);
	CHECK(!gk_network_is_own(network, &other));
	close(own.fd);
	CHECK(!gk_network_is_own(network, &at));
	/* Another socket on the same port is another's. */
	struct gk_socket next = listener_on(v4("127.0.0.1", at.port), AF_INET, &at);
	CHECK(!gk_network_is_own(network, &at));
	close(next.fd);
}

static void a_wildcard_listener_is_kept_on_this_machine(void) {
	struct gk_endpoint at;
	char device[IF_NAMESIZE] = {0};
	socklen_t length = sizeof(device);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(gk_socket_keep_local(fd) == 0 && gk_socket_keep_local(fd) == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && strcmp(device, "lo") == 0);
	CHECK(listen(fd, 1) == 0);
	gk_network_listens(supervisor.network, fd);
	struct gk_socket socket_here = {.fd = fd, .domain = AF_INET6};
	CHECK(gk_endpoint_local(&socket_here, &at) == 0);
	/* Found by both families, although it is bound to a device and to no address. */
	struct gk_address by_v4 = v4("127.0.0.1", at.port), by_v6 = v6("::1", at.port);
	CHECK(gk_endpoint_of(&by_v4, AF_INET, &at) == 0 && gk_network_is_own(supervisor.network, &at));
	CHECK(gk_endpoint_of(&by_v6, AF_INET6, &at) == 0 && gk_network_is_own(supervisor.network, &at));
	close(fd);
}

static void loopback_is_chosen_by_what_the_socket_can_reach(void) {
	struct gk_address to;
	int on = 1;
	struct gk_socket plain = {.fd = socket(AF_INET, SOCK_STREAM, 0), .domain = AF_INET};
	gk_loopback_for(&plain, 7, &to);
	CHECK(to.v4.sin_family == AF_INET && to.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && to.v4.sin_port == htons(7));
	struct gk_socket dual = {.fd = socket(AF_INET6, SOCK_STREAM, 0), .domain = AF_INET6};
	int off = 0;
	CHECK(setsockopt(dual.fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0);
	gk_loopback_for(&dual, 7, &to);
	CHECK(IN6_IS_ADDR_V4MAPPED(&to.v6.sin6_addr) && to.v6.sin6_addr.s6_addr[12] == 127);
	CHECK(setsockopt(dual.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
	gk_loopback_for(&dual, 7, &to);
	CHECK(IN6_IS_ADDR_LOOPBACK(&to.v6.sin6_addr));
	close(plain.fd);
	close(dual.fd);
}

static void names_are_own_once_bound_and_paths_by_their_inode(void) {
	struct gk_network *network = supervisor.network;
	CHECK(!gk_network_is_own_name(network, gk_slice("\0x", 2)));
	gk_network_bound_name(network, gk_slice("\0x", 2));
	CHECK(gk_network_is_own_name(network, gk_slice("\0x", 2)));
	CHECK(!gk_network_is_own_name(network, gk_slice("\0x\0", 3)) && !gk_network_is_own_name(network, gk_slice("\0", 1)));

	char directory[] = "/tmp/gk-network-XXXXXX";
	CHECK(mkdtemp(directory) != NULL);
	int parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(mknodat(parent, "a", S_IFSOCK | 0600, 0) == 0 && mknodat(parent, "b", S_IFSOCK | 0600, 0) == 0);
	static struct gk_object a, b;
	a.fd = openat(parent, "a", O_PATH | O_CLOEXEC);
	b.fd = openat(parent, "b", O_PATH | O_CLOEXEC);
	gk_network_bound_path(network, parent, "a");
	CHECK(gk_network_is_own_path(network, &a) && !gk_network_is_own_path(network, &b));
	CHECK(unlinkat(parent, "a", 0) == 0 && unlinkat(parent, "b", 0) == 0 && rmdir(directory) == 0);
	close(a.fd);
	close(b.fd);
	close(parent);
}

int main(void) {
	CHECK(gk_network_open(&supervisor, 7001, 7002) == 0);
	endpoints_have_one_form();
	addresses_that_stand_for_names_are_told_apart();
	addresses_of_another_family_or_too_short_are_refused();
	only_sockets_that_a_run_can_make_are_known();
	a_listener_is_own_while_it_is_the_one_that_was_seen();
	a_wildcard_listener_is_kept_on_this_machine();
	loopback_is_chosen_by_what_the_socket_can_reach();
	names_are_own_once_bound_and_paths_by_their_inode();
	return gk_check_status();
}
