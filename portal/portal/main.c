#include "portal/portal/portal.h"

int main(int argc, char **argv)
{
	return web_main(&portal_app, argc, argv);
}
