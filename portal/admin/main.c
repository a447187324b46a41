#include "portal/admin/admin.h"

int main(int argc, char **argv)
{
	return web_main(&admin_app, argc, argv);
}
