DROP TABLE observations;
DROP TABLE stations;
