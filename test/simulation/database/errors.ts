/** An error as the driver gives it for what a server said. */
export const serverError = (errno: number, sqlMessage: string): Error =>
  Object.assign(new Error(sqlMessage), { code: `ER_${errno}`, errno, sqlMessage })

/** An error of the driver's own: no server said anything. */
export const driverError = (code: string, message: string): Error => Object.assign(new Error(message), { code })
