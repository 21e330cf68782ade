create table result (
  room text not null,
  player text not null,
  points integer not null,
  primary key (room, player)
);
