#include "image/address.h"
#include "image/precedence.h"
#include "image/terms.h"

static bool names_address(const struct gk_host_record *host, const uint8_t address[16], enum gk_address_class class) {
	switch ((enum gk_host_kind)host->kind) {
	case GK_HOST_ANY:
		return class == GK_ADDRESS_PUBLIC;
	case GK_HOST_RANGE:
		return gk_address_in(address, host->address, host->prefix);
	case GK_HOST_LOCALHOST:
		return class == GK_ADDRESS_LOOPBACK;
	case GK_HOST_NAME:
	case GK_HOST_SUFFIX:
		return false;
	}
	return false;
}

/* What is asked of the peer is not known here: a rule for certain requests that loosens stays silent, a stricter one speaks. */
static bool speaks(const struct gk_rule_record *rule) {
	return !(rule->flags & (GK_RULE_METHODS | GK_RULE_REQUEST_PATHS)) || rule->effect > GK_EFFECT_SHADOW;
}

/* Of the requests that could be made: one that every rule speaks of which lets it pass, and no other. */
static bool could_speak(const struct gk_rule_record *rule) {
	return !(rule->flags & (GK_RULE_METHODS | GK_RULE_REQUEST_PATHS)) || rule->effect == GK_EFFECT_ALLOW ||
	       rule->effect == GK_EFFECT_ASK;
}

static bool names_endpoint(const struct gk_host_record *host, const uint8_t address[16], enum gk_address_class class,
			   uint16_t port) {
	return port >= host->low && port <= host->high && names_address(host, address, class);
}

bool gk_may_inspect(const struct gk_image *image, const uint8_t address[16], uint16_t port) {
	enum gk_address_class class = gk_address_class(address);
	struct gk_matches matches;
	bool inspected = false;
	if (image->terms_count == 0)
		return false;
	gk_matches_begin(&matches);
	for (uint32_t i = 0; i < image->host_count; i++) {
		const struct gk_host_record *host = &image->hosts[i];
		if (!names_endpoint(host, address, class, port) || !could_speak(&image->rules[host->rule]))
			continue;
		gk_matches_add(&matches, image, host->rule);
		inspected |= gk_rule_inspects(image, host->rule);
	}
	enum gk_effect effect = gk_matches_resolve(&matches, image, GK_ACTION_NETWORK).effect;
	return inspected && (effect == GK_EFFECT_ALLOW || effect == GK_EFFECT_ASK);
}

struct gk_verdict gk_decide_address(const struct gk_image *image, const uint8_t address[16], uint16_t port) {
	enum gk_address_class class = gk_address_class(address);
	struct gk_matches matches;
	gk_matches_begin(&matches);
	for (uint32_t i = 0; i < image->host_count; i++) {
		const struct gk_host_record *host = &image->hosts[i];
		if (names_endpoint(host, address, class, port) && speaks(&image->rules[host->rule]))
			gk_matches_add(&matches, image, host->rule);
	}
	return gk_matches_resolve(&matches, image, GK_ACTION_NETWORK);
}
