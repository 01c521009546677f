//go:build linux

package e2e

import "slices"

// proofHosts are all hosts on which fixes are proven.
func proofHosts() []spec {
	return slices.Concat(proofSpecs, filterHosts, []spec{filterHost}, mailRoots, storeRoots)
}

// proofList is all that is proven, in the order in which it is.
func proofList() []proof {
	return slices.Concat(proofs, filterProofs, []proof{filterProof}, mailRootProofs, storeProofs)
}

// storeRoots are hosts of stores and filters that the tests do not need
// otherwise.
var storeRoots = []spec{
	{
		name: "fix-data", n: 51, ownPackages: true,
		about: "MariaDB, PostgreSQL, OpenLDAP and Redis, as a mail system has them",
		setup: []string{
			"sed -i 's/^bind-address .*/bind-address = 0.0.0.0/' /etc/mysql/mariadb.conf.d/50-server.cnf",
			"install -d -o mysql -g mysql /run/mysqld",
			// A cluster of its own, for this machine may have one that runs.
			"rm -rf /etc/postgresql/* /var/lib/postgresql/*",
			"pg_createcluster $(ls /usr/lib/postgresql) main --port 5432",
			`echo "listen_addresses = '*'" >>/etc/postgresql/$(ls /usr/lib/postgresql)/main/postgresql.conf`,
			"sed -i 's/^bind .*/bind 0.0.0.0/; s/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf",
			"install -d -o redis -g redis /run/redis",
			"install -d -o openldap -g openldap /run/slapd",
		},
		units: []unit{
			{name: "mariadb", start: "exec setpriv --reuid=mysql --regid=mysql --init-groups /usr/sbin/mariadbd", port: 3306},
			{name: "postgresql", start: "exec pg_ctlcluster --skip-systemctl-redirect $(ls /usr/lib/postgresql) main start",
				stop: "pg_ctlcluster --skip-systemctl-redirect -m fast $(ls /usr/lib/postgresql) main stop", port: 5432},
			{name: "slapd", start: `. /etc/default/slapd; exec /usr/sbin/slapd -h "$SLAPD_SERVICES" -g $SLAPD_GROUP -u $SLAPD_USER -F /etc/ldap/slapd.d $SLAPD_OPTIONS`, port: 389},
			{name: "redis-server", start: "exec setpriv --reuid=redis --regid=redis --init-groups /usr/bin/redis-server /etc/redis/redis.conf --daemonize no", port: 6379},
		},
		listen: []int{389, 3306, 5432, 6379},
	},
}

// storeProofs are the proofs on storeRoots.
var storeProofs = []proof{
	{fix: "mariadb-bind", rule: "MXS1303", host: "fix-data", port: 3306, product: "MariaDB", pkg: "mariadb-server"},
	{fix: "postgresql-bind", rule: "MXS1303", host: "fix-data", port: 5432, product: "PostgreSQL", pkg: "postgresql-15"},
	{fix: "slapd-bind", rule: "MXS1303", host: "fix-data", port: 389, product: "OpenLDAP", pkg: "slapd"},
	{fix: "redis-bind", rule: "MXS1310", host: "fix-data", port: 6379, product: "Redis", pkg: "redis-server"},
}
