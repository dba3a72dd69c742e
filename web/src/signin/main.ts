import { showOpenFace } from '@/parts/face'
import SignIn from './SignIn.svelte'

showOpenFace(SignIn)
